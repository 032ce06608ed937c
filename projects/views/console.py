"""The console of a project: terminals, a command bar, and the commands that were run. Without scripts: the last of these."""

from typing import Any
from uuid import UUID

from csp.constants import NONCE, SELF
from csp.decorators import csp_update
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from containerhub import assets
from projects.access import Permission, may
from projects.models import CommandRun, Project
from projects.services import runs
from projects.states import RunState, Status
from projects.views.lookup import project_or_404, run_or_404

PAGE = 50
ADDONS = ("clipboard", "fit", "search", "unicode11", "web-links")


@login_required
@require_safe
@csp_update({"style-src": [SELF, NONCE]})  # type: ignore[arg-type]  # xterm makes <style> elements
def console(request: HttpRequest, slug: str) -> HttpResponse:
    project = project_or_404(request.user, slug)
    chosen = _chosen(project, request.GET.get("run", ""))
    words = request.GET.get("q", "")
    return render(
        request,
        "projects/console.html",
        {
            "project": project,
            "may_operate": may(request.user, Permission.OPERATE, project),
            "running": project.status == Status.RUNNING,
            "default_timeout": settings.CONTAINERHUB.run_timeout_seconds,
            "words": words,
            "page": Paginator(runs.found(project, words), PAGE).get_page(request.GET.get("page")),
            "assets": _assets(),
            "again": chosen["run"] if "again" in request.GET else None,
            **chosen,
        },
    )


def _chosen(project: Project, run_id: str) -> dict[str, Any]:
    """The run that the address names, with its output; else one that runs, for the script to follow."""
    if run_id:
        try:
            run: CommandRun | None = run_or_404(project, UUID(run_id))
        except ValueError:
            run = None
    else:
        run = runs.found(project).filter(state=RunState.RUNNING).first()
    return {"run": run, "output": runs.shown_output(run) if run else None}


def _assets() -> dict[str, str] | None:
    """Where the browser finds the terminal; None when npm has not installed it."""
    found = {"xterm": assets.address("vendor/xterm.js"), "style": assets.address("vendor/xterm.css")}
    found |= {name.replace("-", "_"): assets.address(f"vendor/xterm-addon-{name}.js") for name in ADDONS}
    return {name: place for name, place in found.items() if place} if all(found.values()) else None
