"""What is done as time goes by: the sweep and mending at each tick, and each hour what is thrown away. One failure stops no other."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from projects.engine.errors import EngineError
from projects.models import Decision
from projects.services.batches import mend_batches, prune_batches
from projects.services.clones import mend_clones
from projects.services.commands import prune_spools
from projects.services.credentials import remove_unused_clis
from projects.services.engines import current_engine
from projects.services.images import remove_unused_variants
from projects.services.notifications import notify, prune_deliveries
from projects.services.ours import our_containers
from projects.services.sweep import samples, sweep
from projects.services.sweep.writing import latest_decisions
from projects.services.tallies import ENGINE_ERROR, count

HOUR_SECONDS = 3600
DECISIONS_KEPT = timedelta(days=90)

log = structlog.get_logger(__name__)


def each_minute() -> None:
    """The tick's work."""
    for duty in (_look_at_containers, notify, keep_house):
        try:
            duty()
        except Exception:
            log.exception("tick.failed", duty=duty.__name__)


def _look_at_containers() -> None:
    try:
        sweep()
    except EngineError as error:
        count(ENGINE_ERROR, error=type(error).__name__)
        log.warning("sweep.engine_failed", error=str(error), cause=repr(error.__cause__))


def keep_house() -> None:
    """Batches and clones that a dead worker left, at each call; at most hourly old outputs and batches, expired sessions, and what no
    container uses: copies of the Claude CLI, and image variants."""
    _do(_EACH_TIME)
    if cache.add("housekeeping", 1, timeout=HOUR_SECONDS):
        _do(_CHORES)


def _do(chores: tuple[Callable[[], object], ...]) -> None:
    for chore in chores:
        try:
            chore()
        except Exception:
            log.exception("housekeeping.failed", chore=chore.__name__)


def _old_samples() -> None:
    samples.prune(timezone.now())


def _old_decisions() -> None:
    """But the last of each project."""
    kept = [row.pk for row in latest_decisions().values()]
    Decision.objects.filter(at__lt=timezone.now() - DECISIONS_KEPT).exclude(pk__in=kept).delete()


def _expired_sessions() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


def _unused_clis() -> None:
    engine = current_engine()
    found = [engine.containers.inspect(summary.docker_id) for summary in our_containers(engine)]
    remove_unused_clis({mount.source for info in found if info is not None for mount in info.mounts})


def _unused_variants() -> None:
    remove_unused_variants(current_engine())


_EACH_TIME: tuple[Callable[[], object], ...] = (mend_batches, mend_clones)
_CHORES: tuple[Callable[[], object], ...] = (
    prune_spools,
    prune_batches,
    prune_deliveries,
    _expired_sessions,
    _old_samples,
    _old_decisions,
    _unused_clis,
    _unused_variants,
)
