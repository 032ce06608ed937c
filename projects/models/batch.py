"""One action over several projects: what was asked for, and how it went for each."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.project import Project
from projects.models.run import CommandRun
from projects.states import BatchAction, ItemState


class Batch(models.Model):
    """Saved with its items and their tasks in one transaction; `finished_at` comes with the last item."""

    action = models.CharField(max_length=16, choices=[(a, a) for a in BatchAction])
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    details = models.JSONField(default=dict, help_text="Of a command: command, workdir, timeout_seconds.")
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "batches"
        constraints = [models.CheckConstraint(condition=Q(action__in=list(BatchAction)), name="batch_action_known")]
        indexes = [models.Index(fields=["finished_at"])]

    def __str__(self) -> str:
        return f"{self.action} #{self.pk}"


class BatchItem(models.Model):
    """One project of a batch. The slug stands as text: the item outlives its project. `claimed_at` is renewed while it runs."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="items")
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    project_slug = models.CharField(max_length=50)
    position = models.PositiveIntegerField()
    state = models.CharField(max_length=8, choices=[(s, s) for s in ItemState], default=ItemState.QUEUED)
    message = models.TextField(blank=True, help_text="One sentence, with the remedy where it failed.")
    run = models.ForeignKey(CommandRun, null=True, on_delete=models.SET_NULL, related_name="+")
    claim_token = models.CharField(max_length=32, blank=True)
    claimed_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_item_position_once"),
            models.CheckConstraint(condition=Q(state__in=list(ItemState)), name="batch_item_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[ItemState.QUEUED, ItemState.RUNNING], finished_at__isnull=True)
                | Q(state__in=[ItemState.DONE, ItemState.FAILED], finished_at__isnull=False),
                name="batch_item_finished_when_final",
            ),
            models.CheckConstraint(
                condition=(Q(state=ItemState.RUNNING) & ~Q(claim_token="") & Q(claimed_at__isnull=False))
                | (~Q(state=ItemState.RUNNING) & Q(claim_token="")),
                name="batch_item_claimed_when_running",
            ),
        ]
        indexes = [models.Index(fields=["state", "claimed_at"])]

    def __str__(self) -> str:
        return f"{self.project_slug} of batch {self.batch_id}"

    @property
    def duration_seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.started_at and self.finished_at else None
