"""The audit trail to read: the last lines of it, and what is added while one looks."""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import QuerySet

from projects.models import Event

BATCH = 500


def last_events(*, slug: str = "", since: datetime | None = None, limit: int | None = None) -> list[Event]:
    """The newest `limit` events (None: all), oldest of them first; of one project where `slug` is given."""
    found = _of(slug)
    if since is not None:
        found = found.filter(at__gte=since)
    newest = found.order_by("-id")
    return list(newest if limit is None else newest[:limit])[::-1]


def last_id() -> int:
    """Where the trail ends now."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def events_after(event_id: int, *, slug: str = "") -> Iterator[Event]:
    """What was added after that id, in order; at most 500, so that a follower asks again. Ids rise in the order of commits."""
    yield from _of(slug).filter(id__gt=event_id).order_by("id")[:BATCH]


def _of(slug: str) -> QuerySet[Event]:
    return Event.objects.filter(project_slug=slug) if slug else Event.objects.all()
