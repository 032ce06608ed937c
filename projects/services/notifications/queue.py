"""From the audit trail to deliveries: each event once, however often the tick is delivered and wherever it is killed.

The lease's memory holds the last event that was looked at. A killed look is done again, and the unique pair of channel and event makes
that no second delivery.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from django.db.models import Max
from django.utils import timezone
from django_q.tasks import async_task

from projects.models import Channel, Delivery, Event
from projects.services.notifications.topics import KINDS, topic_of
from projects.services.sweep.lease import taken
from projects.states import DeliveryState

QUEUE = "notifications"
AT_ONCE = 1000
"""Events in one look; the next tick goes on."""


def hand_over() -> None:
    """To the worker, as a task of its own: a receiver takes its time, and the tick must not wait for it."""
    async_task("projects.tasks.send_notifications", task_name="send_notifications")


def notify(*, now: datetime | None = None, task: Callable[[], object] = hand_over) -> None:
    """The tick's part: look for news, and have the worker send what is due."""
    now = now or timezone.now()
    queue_events(now=now)
    if Delivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=now).exists():
        task()


def queue_events(*, now: datetime | None = None) -> int:
    """Write what each channel is to be told of; how many. Nothing while another is at it."""
    now = now or timezone.now()
    with taken(QUEUE, now, spacing_seconds=0) as lease:
        if lease is None:
            return 0
        # In this order: a channel that is not seen yet hears only of events that are not seen yet.
        newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
        channels = list(Channel.objects.select_related("project"))
        seen = lease.memory.get("event", min((channel.after_event for channel in channels), default=newest))
        events = list(Event.objects.filter(pk__gt=seen, pk__lte=newest, kind__in=KINDS).order_by("pk")[:AT_ONCE]) if channels else []
        rows = list(_deliveries(events, channels, now))
        Delivery.objects.bulk_create(rows, ignore_conflicts=True, batch_size=200)
        lease.memory["event"] = events[-1].pk if len(events) == AT_ONCE else newest
    return len(rows)


def _deliveries(events: Iterable[Event], channels: Iterable[Channel], now: datetime) -> Iterable[Delivery]:
    for event in events:
        topic = topic_of(event)
        for channel in channels:
            mine = channel.project is None or channel.project.slug == event.project_slug
            if topic in channel.wants and mine and event.pk > channel.after_event:
                yield Delivery(
                    channel=channel,
                    event_id=event.pk,
                    event_kind=event.kind,
                    event_at=event.at,
                    project_slug=event.project_slug,
                    subject=f"{topic} {event.project_slug}".strip(),
                    message=event.message,
                    next_at=now,
                    created_at=now,
                )
