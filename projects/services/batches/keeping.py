"""Old batches are removed; the events tell of them still."""

from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from projects.models import Batch


def prune_batches() -> int:
    """Remove the batches that ended more than `CONTAINERHUB_RUN_RETENTION_DAYS` ago, as the output of their commands; how many."""
    before = timezone.now() - timedelta(days=settings.CONTAINERHUB.run_retention_days)
    _, removed = Batch.objects.filter(finished_at__lt=before).delete()
    return removed.get("projects.Batch", 0)
