"""The audit trail to read: the last lines of it, and what is added while one looks."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone

from projects.models import Event

BATCH = 500
KINDS_KEPT_SECONDS = 60
CSV_COLUMNS = ("id", "at", "kind", "project", "actor", "message", "details")


@dataclass(frozen=True)
class Search:
    """What of the trail is wanted; empty is everything. `kind` is one, or the noun before its dot; both days count whole (UTC)."""

    project: str = ""
    actor: str = ""
    kind: str = ""
    since: date | None = None
    until: date | None = None
    words: str = ""


@dataclass(frozen=True)
class Page:
    """Events, newest first; `newer` and `older` are the ids beside which the next pages begin, or None."""

    events: Sequence[Event]
    newer: int | None
    older: int | None


def last_events(*, slug: str = "", since: datetime | None = None, limit: int | None = None) -> list[Event]:
    """The newest `limit` events (None: all), oldest of them first; of one project where `slug` is given."""
    found = _of(slug)
    if since is not None:
        found = found.filter(at__gte=since)
    newest = found.order_by("-id")
    return list(newest if limit is None else newest[:limit])[::-1]


def found_events(events: QuerySet[Event], search: Search) -> QuerySet[Event]:
    """Those of `events` that the search wants, newest first."""
    if search.project:
        events = events.filter(project_slug=search.project)
    if search.actor:
        events = events.filter(actor_name__iexact=search.actor)
    if search.kind:
        events = events.filter(Q(kind=search.kind) | Q(kind__startswith=f"{search.kind}."))
    if search.since:
        events = events.filter(at__gte=_midnight(search.since))
    if search.until:
        events = events.filter(at__lt=_midnight(search.until + timedelta(days=1)))
    for word in search.words.split():
        events = events.filter(message__icontains=word)
    return events.order_by("-id")


def page_of(events: QuerySet[Event], size: int, *, before: int | None = None, after: int | None = None) -> Page:
    """`size` of them, right before or right after an id, else the newest: however long the trail is, only a page of it is read."""
    if after is not None:
        rows = list(events.filter(id__gt=after).order_by("id")[: size + 1])
        more, rows = len(rows) > size, rows[:size][::-1]
        return Page(rows, rows[0].pk if more else None, rows[-1].pk if rows else None)
    rows = list((events.filter(id__lt=before) if before is not None else events)[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    return Page(rows, rows[0].pk if before is not None and rows else None, rows[-1].pk if more else None)


def kinds() -> list[str]:
    """Every kind that the trail knows, as of the last minute."""
    rows = Event.objects.order_by().values_list("kind", flat=True).distinct()
    found = cache.get_or_set("event-kinds", lambda: sorted(rows), KINDS_KEPT_SECONDS)
    return list(found or ())


def csv_rows(events: QuerySet[Event]) -> Iterator[Sequence[object]]:
    """In the order of CSV_COLUMNS; read piece by piece, so that a long trail does not stand in memory."""
    for event in events.iterator(chunk_size=1000):
        at = event.at.isoformat(timespec="seconds")
        yield event.pk, at, event.kind, event.project_slug, event.actor_name, event.message, json.dumps(event.details, ensure_ascii=False)


def _midnight(day: date) -> datetime:
    return timezone.make_aware(datetime.combine(day, time.min))


def last_id() -> int:
    """Where the trail ends now."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def events_after(event_id: int, *, slug: str = "") -> Iterator[Event]:
    """What was added after that id, in order; at most 500, so that a follower asks again. Ids rise in the order of commits."""
    yield from _of(slug).filter(id__gt=event_id).order_by("id")[:BATCH]


def _of(slug: str) -> QuerySet[Event]:
    return Event.objects.filter(project_slug=slug) if slug else Event.objects.all()
