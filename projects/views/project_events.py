"""What happened in a project: who did what, and when."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.http import require_safe

from projects.access import visible_events
from projects.views.project_page import live_page, page, shown_project

PAGE = 50
WORDS_LENGTH = 200
KIND_LENGTH = 40


@login_required
@require_safe
def project_events(request: HttpRequest, slug: str) -> HttpResponse:
    context = _shown(request.user, slug, request.GET)
    context["kinds"] = _of(request.user, slug).order_by("kind").values_list("kind", flat=True).distinct()
    return page(request, "events", "Events", context["project"], context)


def _shown(user: Any, slug: str, query: QueryDict) -> dict[str, Any]:
    project = shown_project(user, slug)
    words = query.get("q", "").replace("\0", "")[:WORDS_LENGTH].strip()
    kind = query.get("kind", "").replace("\0", "")[:KIND_LENGTH]
    found = _of(user, slug)
    if words:
        found = found.filter(Q(message__icontains=words) | Q(actor_name__icontains=words))
    if kind:
        found = found.filter(kind=kind)
    return {
        "project": project,
        "page": Paginator(found, PAGE).get_page(query.get("page")),
        "words": words,
        "kind": kind,
        "kept": urlencode({name: value for name, value in (("q", words), ("kind", kind)) if value}),
    }


def _of(user: Any, slug: str) -> Any:
    return visible_events(user).filter(project_slug=slug)


live_page("project-events", _shown, ("events", "events_table"))
