"""Signs of life. The worker's is a task that it has done: alive processes prove nothing, since django-q2 can wedge.

It wedges for good when a child is killed that waits for work (seen). The watcher puts a canary task into the queue each
20 s; a worker that has done none for SILENT_SECONDS is restarted, which leaves time within the promised 3 minutes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django_q.brokers import get_broker
from django_q.models import Schedule
from django_q.tasks import async_task

from projects.models import Heartbeat

CANARY_SECONDS = 20
SILENT_SECONDS = 100
FRESH_SECONDS = 180
MOST_WAITING = 20
TICK = "containerhub-tick"
ROLES = ("worker", "watcher")


def started(role: str) -> None:
    """A process of this role starts now; its former signs of life count no longer."""
    Heartbeat.objects.update_or_create(role=role, defaults={"started_at": timezone.now(), "beat_at": None})


def beat(role: str) -> None:
    now = timezone.now()
    Heartbeat.objects.update_or_create(role=role, defaults={"beat_at": now}, create_defaults={"started_at": now, "beat_at": now})


def worker_started() -> None:
    """Before django-q2 starts: its one schedule, and a first canary (its own schedules begin 30 s after the start)."""
    started("worker")
    Schedule.objects.update_or_create(
        name=TICK, defaults={"func": "projects.tasks.tick", "schedule_type": Schedule.MINUTES, "minutes": 1, "repeats": -1}
    )
    send_canary()


def send_canary() -> None:
    """Unless enough wait already: a worker that is down for long must not find thousands."""
    if get_broker().queue_size() < MOST_WAITING:
        async_task("projects.tasks.canary", save=False, task_name="canary")


def worker_lives() -> bool:
    """It has done a canary since its start, and not long ago."""
    row = Heartbeat.objects.filter(role="worker").first()
    if row is None or row.beat_at is None:
        return False
    return row.beat_at >= row.started_at and timezone.now() - row.beat_at < timedelta(seconds=FRESH_SECONDS)


@dataclass(frozen=True)
class Sign:
    """A part of the hub: since when its present process runs, and its last sign of life."""

    role: str
    started_at: datetime | None
    beat_at: datetime | None
    lives: bool


def signs() -> list[Sign]:
    """The worker's and the watcher's. The web process is who answers."""
    rows = {row.role: row for row in Heartbeat.objects.filter(role__in=ROLES)}
    now = timezone.now()
    found = []
    for role in ROLES:
        row = rows.get(role)
        last = row.beat_at if row else None
        fresh = row is not None and last is not None and last >= row.started_at and now - last < timedelta(seconds=FRESH_SECONDS)
        found.append(Sign(role, row.started_at if row else None, last, fresh))
    return found


def waiting_tasks() -> int:
    """How many tasks wait for the worker."""
    return int(get_broker().queue_size())


def worker_silent_since() -> datetime | None:
    """The last sign of life, or the start, when that is more than SILENT_SECONDS ago; else None."""
    row = Heartbeat.objects.filter(role="worker").first()
    if row is None:
        return None
    last = max(row.started_at, row.beat_at or row.started_at)
    return last if timezone.now() - last > timedelta(seconds=SILENT_SECONDS) else None
