"""How a container fared, and what was decided by it."""

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from projects.access import project_for
from projects.api.auth import caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import ENGINE, answers
from projects.api.schemas import DecisionList, SampleList
from projects.models import Decision
from projects.services.sweep.samples import RANGES, samples_of

router = Router(tags=["containers"])
Range = Literal["15m", "1h", "24h", "14d"]


@router.get(
    "/projects/{slug}/container/decisions",
    response=answers(DecisionList, *ENGINE),
    summary="What was decided about the container, newest first",
)
def list_decisions(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """A row for each change of what is decided, with the readings that led to it."""
    rows = Decision.objects.filter(project=project_for(caller(request), slug))
    items, following = page_of_rows(rows, key="id", limit=limit, cursor=cursor, descending=True)
    return {"items": [_shown(item) for item in items], "next": following}


@router.get("/projects/{slug}/container/samples", response=answers(SampleList, *ENGINE), summary="What the container used, oldest first")
def list_samples(
    request: HttpRequest, slug: str, name: Annotated[Range, Query(alias="range", description="How far back.")] = "1h"
) -> dict[str, Any]:
    """Every reading of the last 15 minutes or hour; averages of five minutes for 24 hours or 14 days. All on one page."""
    project = project_for(caller(request), slug)
    rows = samples_of(project.pk, name=name, now=timezone.now())
    return {"span_seconds": RANGES[name][1], "items": list(rows), "next": None}


def _shown(row: Decision) -> dict[str, Any]:
    return {
        "id": row.pk,
        "at": row.at,
        "last_at": row.last_at,
        "verdict": row.verdict,
        "rule": row.rule,
        "cause": row.cause,
        "reason": row.reason,
        "inputs": row.numbers,
        "due_at": row.due_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "done": row.done,
        "outcome": row.outcome,
    }
