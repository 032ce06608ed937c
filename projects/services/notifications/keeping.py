"""Old deliveries are thrown away; what happened stands in the audit trail."""

from datetime import datetime, timedelta

from django.utils import timezone

from projects.models import Delivery
from projects.states import DeliveryState

KEPT = timedelta(days=30)


def prune_deliveries(*, now: datetime | None = None) -> int:
    """Those that ended long ago; how many."""
    ended = Delivery.objects.exclude(state=DeliveryState.WAITING).filter(finished_at__lt=(now or timezone.now()) - KEPT)
    removed, _by_model = ended.delete()
    return removed
