"""The end of an item and of its batch, each written once."""

from django.db import transaction
from django.utils import timezone

from projects.models import Batch, BatchItem
from projects.services.record import HUB, record
from projects.states import ItemState

OPEN = (ItemState.QUEUED, ItemState.RUNNING)


def settle_item(item: BatchItem, token: str, state: ItemState, message: str) -> bool:
    """Write the end of an item that is claimed with this token; False when it is no longer."""
    with transaction.atomic():
        # The batch's row is the lock under which the last of its items is told apart.
        batch = Batch.objects.select_for_update().get(pk=item.batch_id)
        rows = BatchItem.objects.filter(pk=item.pk, state=ItemState.RUNNING, claim_token=token)
        written = rows.update(state=state, message=message, claim_token="", finished_at=timezone.now())
        if written:
            finish_if_through(batch)
    return bool(written)


def finish_if_through(batch: Batch) -> None:
    """Call it in the transaction that ended an item."""
    items = BatchItem.objects.filter(batch=batch)
    if items.filter(state__in=OPEN).exists():
        return
    if not Batch.objects.filter(pk=batch.pk, finished_at__isnull=True).update(finished_at=timezone.now()):
        return
    done, failed = items.filter(state=ItemState.DONE).count(), items.filter(state=ItemState.FAILED).count()
    record(
        "batch.finished",
        actor=HUB,
        message=f"{batch.action.replace('_', ' ').capitalize()} is through: {done} done, {failed} failed.",
        batch=batch.pk,
        done=done,
        failed=failed,
    )
