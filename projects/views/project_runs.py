"""The commands that were run in a project: who, when, for how long, and how each ended."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from projects.access import Permission
from projects.services import runs
from projects.states import RunState
from projects.views.project_page import live_page, page, shown_project, why_not

PAGE = 50
WORDS_LENGTH = 1000
ENDINGS = {"running": "Running", "well": "Ended well", "ill": "Failed in any way"}


@login_required
@require_safe
def project_runs(request: HttpRequest, slug: str) -> HttpResponse:
    context = _shown(request.user, slug, request.GET)
    return page(request, "runs", "Runs", context["project"], context)


def _shown(user: Any, slug: str, query: QueryDict) -> dict[str, Any]:
    project = shown_project(user, slug)
    words, ending = query.get("q", "")[:WORDS_LENGTH], query.get("ending", "")
    found = runs.found(project, words)
    if ending == "running":
        found = found.filter(state=RunState.RUNNING)
    elif ending == "well":
        found = found.filter(state=RunState.FINISHED, exit_code=0)
    elif ending == "ill":
        found = found.exclude(state=RunState.RUNNING).exclude(state=RunState.FINISHED, exit_code=0)
    return {
        "project": project,
        "page": Paginator(found, PAGE).get_page(query.get("page")),
        "words": words,
        "ending": ending,
        "endings": ENDINGS,
        "kept": urlencode({name: value for name, value in (("q", words), ("ending", ending)) if value}),
        "refused": why_not(user, Permission.OPERATE, project),
    }


live_page("project-runs", _shown, ("runs", "runs_table"))
