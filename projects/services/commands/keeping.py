"""Old output is removed, but for a tail; the rows stay."""

import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from projects.models import CommandRun
from projects.services import spool
from projects.services.record import HUB, record
from projects.states import RunState

KEPT_TAIL_BYTES = 64 * 1024
STRAY_SECONDS = 24 * 3600


def prune_spools() -> int:
    """Cut the output of runs that ended more than `CONTAINERHUB_RUN_RETENTION_DAYS` ago to its last 64 KiB; how many.

    Output whose run has no row any more, since its project was removed, goes as a whole."""
    _remove_strays()
    before = timezone.now() - timedelta(days=settings.CONTAINERHUB.run_retention_days)
    old = CommandRun.objects.exclude(state=RunState.RUNNING).filter(finished_at__lt=before, output_removed_at__isnull=True)
    pruned = sum(_prune(run) for run in old.iterator())
    if pruned:
        record("run.output_removed", actor=HUB, message=f"The old output of {pruned} commands was removed, but for its tail.", runs=pruned)
    return pruned


def _prune(run: CommandRun) -> bool:
    if spool.size_of(run) <= KEPT_TAIL_BYTES:
        return False
    with spool.orphaned(run) as mine:
        if not mine:
            return False
        spool.keep_tail(run, KEPT_TAIL_BYTES)
        return bool(CommandRun.objects.filter(pk=run.pk).update(output_removed_at=timezone.now()))


def _remove_strays() -> None:
    """A day's grace: the spool of a run that is just starting is made before its row."""
    known = {pk.hex for pk in CommandRun.objects.values_list("pk", flat=True)}
    for path in (settings.DATA_DIR / "runs").glob("*"):
        if path.stem not in known and path.stat().st_mtime < time.time() - STRAY_SECONDS:
            path.unlink(missing_ok=True)
