"""The hub itself: its database, its processes' signs of life, its clock."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from projects.models import Event, Heartbeat, Instance
from projects.services.doctor.finding import Finding, error, warning, well
from projects.services.doctor.network import hub_answers

SILENT_AFTER = {"worker": timedelta(seconds=180), "watcher": timedelta(seconds=120)}
CLOCK_SLACK = timedelta(seconds=5)
BORN = datetime(2025, 1, 1, tzinfo=UTC)


def database() -> Iterator[Finding]:
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as failure:
        yield error("database", f"It cannot be read ({failure}).", "Start it, or correct CONTAINERHUB_DATABASE_URL.")
        return
    if missing:
        yield error("migrations", f"{len(missing)} migrations are not applied.", "make up applies them (or python manage.py migrate).")
        return
    yield well("migrations", "All are applied.")
    try:
        with transaction.atomic():
            Instance.objects.update_or_create(pk=1)
            transaction.set_rollback(True)
    except DatabaseError as failure:
        remedy = "Make room on its disk, and see that it belongs to the user who runs the hub."
        yield error("database", f"It cannot be written ({failure}).", remedy)
    else:
        yield well("database", f"It can be written ({connection.vendor}).")


def processes() -> Iterator[Finding]:
    """Where the hub is down on purpose, silence is no fault; where it serves, every part must live."""
    if not hub_answers():
        yield warning("processes", "The hub does not serve now: no page, no watcher, no automatic refresh.", "Start it: make up.")
        return
    beats = {beat.role: beat for beat in Heartbeat.objects.all()}
    for role, limit in SILENT_AFTER.items():
        beat = beats.get(role)
        seen = beat.beat_at if beat else None
        if seen is None or timezone.now() - seen > limit:
            since = f"since {seen:%Y-%m-%d %H:%M:%S} UTC" if seen else "ever"
            yield error(
                role,
                f"The {role} has given no sign of life {since}.",
                f"Look at its log {settings.DATA_DIR}/log/{role}.log, or restart it.",
            )
        else:
            yield well(role, f"Its last sign of life is {(timezone.now() - seen).seconds} s old.")


def clock() -> Iterator[Finding]:
    now = timezone.now()
    newest = Event.objects.order_by("-id").values_list("at", flat=True).first()
    if now < BORN or (newest is not None and newest > now + CLOCK_SLACK):
        what = f"the newest event is of {newest:%Y-%m-%d %H:%M:%S}" if newest and newest > now else "that was before this program was made"
        yield error("clock", f"It says {now:%Y-%m-%d %H:%M:%S} UTC, but {what}.", "Set it (timedatectl set-ntp true).")
    else:
        yield well("clock", f"It says {now:%Y-%m-%d %H:%M:%S} UTC.")
