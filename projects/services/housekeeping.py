"""What is mended at each tick and thrown away as time goes by, each kind on its own: one failure stops no other."""

from collections.abc import Callable

import structlog
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from projects.services.batches import mend_batches, prune_batches
from projects.services.commands import prune_spools
from projects.services.credentials import remove_unused_clis
from projects.services.engines import current_engine
from projects.services.images import remove_unused_variants
from projects.services.ours import our_containers

HOUR_SECONDS = 3600

log = structlog.get_logger(__name__)


def keep_house() -> None:
    """Batches that a dead worker left, at each call; at most hourly old outputs and batches, expired sessions, and copies of the Claude CLI
    and image variants that no container uses."""
    _do(_EACH_TIME)
    if cache.add("housekeeping", 1, timeout=HOUR_SECONDS):
        _do(_CHORES)


def _do(chores: tuple[Callable[[], object], ...]) -> None:
    for chore in chores:
        try:
            chore()
        except Exception:
            log.exception("housekeeping.failed", chore=chore.__name__)


def _expired_sessions() -> None:
    Session.objects.filter(expire_date__lt=timezone.now()).delete()


def _unused_clis() -> None:
    engine = current_engine()
    found = [engine.containers.inspect(summary.docker_id) for summary in our_containers(engine)]
    remove_unused_clis({mount.source for info in found if info is not None for mount in info.mounts})


def _unused_variants() -> None:
    remove_unused_variants(current_engine())


_EACH_TIME: tuple[Callable[[], object], ...] = (mend_batches,)
_CHORES: tuple[Callable[[], object], ...] = (prune_spools, prune_batches, _expired_sessions, _unused_clis, _unused_variants)
