"""A project at a glance: its container, what it uses, what it has, and what happened lately."""

from dataclasses import asdict
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from containerhub import assets
from projects.access import Permission, visible_events
from projects.engine.errors import EngineError
from projects.models import DeployKey, Project
from projects.services.container_processes import container_processes
from projects.services.errors import ContainerNotRunning, HubError
from projects.services.exit_codes import exit_words
from projects.services.git_credentials import list_git_credentials
from projects.services.overview import known_container
from projects.services.project_secrets import list_secrets
from projects.services.usage_history import reading_now, usage_history
from projects.states import Status
from projects.views.lookup import project_or_404
from projects.views.project_page import live_page, page, shown_project, why_not

EVENTS = 8
RANGES = (("15m", "15 minutes"), ("1h", "1 hour"), ("24h", "24 hours"), ("14d", "14 days"))


@login_required
@require_safe
def overview(request: HttpRequest, slug: str) -> HttpResponse:
    context = _live(request.user, slug, request.GET)
    project = context["project"]
    context |= {
        "history": usage_history(project.pk, request.GET.get("range", "")),
        "ranges": RANGES,
        "deploy_key": DeployKey.objects.filter(project=project).defer("private_key").first(),
        "git_credentials": list_git_credentials(project=project),
        "secrets": list_secrets(project=project),
        "uplot": {"script": assets.address("vendor/uplot.js"), "style": assets.address("vendor/uplot.css")},
        **_processes(project, "processes" in request.GET),
    }
    return page(request, "overview", "Overview", project, context)


@login_required
@require_safe
def now(request: HttpRequest, slug: str) -> JsonResponse:
    """What the container uses at this moment, for the page's script: asked each second. `reading` is null with the reason in `why`."""
    try:
        return JsonResponse({"reading": asdict(reading_now(project=project_or_404(request.user, slug))), "why": ""})
    except ContainerNotRunning:
        return JsonResponse({"reading": None, "why": "It does not run"})
    except (HubError, EngineError) as error:
        return JsonResponse({"reading": None, "why": str(error)})


@login_required
@require_safe
def processes(request: HttpRequest, slug: str) -> HttpResponse:
    """That part of the page alone, for its script."""
    project = project_or_404(request.user, slug)
    return render(request, "projects/processes.html", {"project": project, **_processes(project, True)})


def _live(user: Any, slug: str, query: QueryDict) -> dict[str, Any]:
    project = shown_project(user, slug)
    view = known_container(project=project)
    ended = project.status in (Status.EXITED, Status.DEAD) and project.container_exit_code is not None
    return {
        "project": project,
        "view": view,
        "row": view.container,
        "refused": why_not(user, Permission.OPERATE, project),
        "ended": exit_words(project.container_exit_code, oom_killed=bool(project.container_oom_killed)) if ended else "",
        "events": visible_events(user).filter(project_slug=project.slug)[:EVENTS],
    }


live_page("project", _live, ("container", "container"), ("latest-events", "latest_events"))


def _processes(project: Project, asked: bool) -> dict[str, Any]:
    """Asked of the Engine only where somebody without scripts wants them; scripts ask the API."""
    if not asked:
        return {"processes": None}
    try:
        return {"processes": container_processes(project=project)}
    except (HubError, EngineError) as error:
        return {"processes": [], "no_processes": str(error)}
