"""Items whose worker died, found by their stale claim: done again where that is harmless, else ended with what is known."""

from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone
from django_q.brokers import get_broker

from projects.models import BatchItem
from projects.services.batches.perform import ActionFailed, told_result
from projects.services.batches.settle import settle_item
from projects.services.batches.start import queue_item
from projects.services.commands import result_of
from projects.states import BatchAction, ItemState, RunState

STALE_SECONDS = 60
MOST_ATTEMPTS = 3

AGAIN = frozenset({BatchAction.ENSURE, BatchAction.START, BatchAction.STOP, BatchAction.CHECK_HEALTH, BatchAction.REMOVE_CONTAINER})
"""Doing these twice is doing them once. A refresh, a restart or a command done twice may end somebody's work."""
INTERRUPTED = "The hub's process that did this ended before it was through; look at the project, then ask for it again."

log = structlog.get_logger(__name__)


def mend_batches() -> int:
    """How many items were mended. Repeatable; the tick calls it each minute."""
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    items = BatchItem.objects.filter(state=ItemState.RUNNING, claimed_at__lt=stale).select_related("batch", "run", "run__project")
    return sum(_mend(item) for item in items) + _queue_stranded()


def _queue_stranded() -> int:
    """Items that a dead worker had taken out of the queue but not begun: the broker would give them out again after 15 minutes.

    Nothing runs, nothing waits in the queue, and yet they are queued. A task that comes twice does no harm.
    """
    before = timezone.now() - timedelta(seconds=2 * STALE_SECONDS)
    stranded = BatchItem.objects.filter(state=ItemState.QUEUED, batch__created_at__lt=before).select_related("batch")
    if get_broker().queue_size() or BatchItem.objects.filter(state=ItemState.RUNNING).exists():
        return 0
    with transaction.atomic():
        items = list(stranded)
        for item in items:
            queue_item(item, item.batch)
    return len(items)


def _mend(item: BatchItem) -> bool:
    log.warning("batch.item_interrupted", item=item.pk, batch=item.batch_id, project=item.project_slug, attempts=item.attempts)
    if BatchAction(item.batch.action) in AGAIN and item.attempts < MOST_ATTEMPTS:
        return _again(item)
    if item.run is None:
        return settle_item(item, item.claim_token, ItemState.FAILED, INTERRUPTED)
    if item.run.state == RunState.RUNNING:
        return False  # the watcher finds it by its free lock, and ends it with what the container knows
    try:
        return settle_item(item, item.claim_token, ItemState.DONE, told_result(result_of(item.run)))
    except ActionFailed as error:
        return settle_item(item, item.claim_token, ItemState.FAILED, str(error))


def _again(item: BatchItem) -> bool:
    with transaction.atomic():
        rows = BatchItem.objects.filter(pk=item.pk, state=ItemState.RUNNING, claim_token=item.claim_token)
        freed = rows.update(state=ItemState.QUEUED, claim_token="", claimed_at=None)
        if freed:
            queue_item(item, item.batch)
    return bool(freed)
