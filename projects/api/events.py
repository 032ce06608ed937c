"""The audit trail, newest first."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router

from projects.access import project_for, visible_events
from projects.api.auth import caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import EventList
from projects.models import Event

router = Router(tags=["events"])


@router.get("/projects/{slug}/events", response=answers(EventList), summary="What happened in a project, newest first")
def list_project_events(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    project = project_for(caller(request), slug)
    return _page(visible_events(caller(request)).filter(project_slug=project.slug), limit, cursor)


@router.get("/events", response=answers(EventList), summary="What happened, newest first")
def list_events(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Administrators see everything, others what happened in the projects that they may see."""
    return _page(visible_events(caller(request)), limit, cursor)


def _page(rows: QuerySet[Event], limit: int, cursor: str | None) -> dict[str, Any]:
    items, following = page_of_rows(rows, key="id", limit=limit, cursor=cursor, descending=True)
    return {"items": [_shown(item) for item in items], "next": following}


def _shown(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at,
        "kind": event.kind,
        "project": event.project_slug,
        "actor": event.actor_name,
        "message": event.message,
        "details": event.details,
    }
