"""What was decided about a project's container, by which readings, and what came of it."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from projects.models import Decision
from projects.services.overview import known_container
from projects.views.project_page import live_page, page, shown_project

PAGE = 30


@login_required
@require_safe
def project_decisions(request: HttpRequest, slug: str) -> HttpResponse:
    context = _shown(request.user, slug, request.GET)
    return page(request, "decisions", "Decisions", context["project"], context)


def _shown(user: Any, slug: str, query: QueryDict) -> dict[str, Any]:
    project = shown_project(user, slug)
    found = Paginator(Decision.objects.filter(project=project), PAGE).get_page(query.get("page"))
    return {"project": project, "page": found, "view": known_container(project=project)}


live_page("project-decisions", _shown, ("decisions", "decisions_table"))
