"""A command run: its row. The output stands in a spool file in the data directory."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.container import Container
from projects.models.project import Project
from projects.states import RunState


class CommandRun(models.Model):
    """Saved before the run and patched after. `exit_code` is an int only if it is known to be true."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="runs")
    container = models.ForeignKey(Container, null=True, on_delete=models.SET_NULL, related_name="runs")
    command = models.TextField()
    workdir = models.CharField(max_length=1000, default="/workspace")
    timeout_seconds = models.PositiveIntegerField()
    purpose = models.CharField(max_length=20, default="command", help_text="command, or setup")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)

    state = models.CharField(max_length=16, choices=[(s, s) for s in RunState], default=RunState.RUNNING)
    exit_code = models.IntegerField(null=True)
    message = models.TextField(blank=True, help_text="One sentence, where the state alone does not say it.")
    kill_requested = models.BooleanField(default=False)
    kill_requested_by = models.CharField(max_length=150, blank=True)
    exec_id = models.CharField(max_length=64, blank=True)
    output_bytes = models.PositiveBigIntegerField(default=0)
    output_removed_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(RunState)), name="run_state_known"),
            models.CheckConstraint(
                condition=Q(state=RunState.RUNNING, finished_at__isnull=True) | (~Q(state=RunState.RUNNING) & Q(finished_at__isnull=False)),
                name="run_finished_when_not_running",
            ),
            models.CheckConstraint(condition=Q(timeout_seconds__gte=1), name="run_timeout_positive"),
        ]
        indexes = [models.Index(fields=["project", "-started_at"]), models.Index(fields=["state"])]

    def __str__(self) -> str:
        return f"{self.id} {self.command[:60]}"

    @property
    def marker(self) -> str:
        """What every process of this run bears in its environment."""
        return self.id.hex

    @property
    def duration_seconds(self) -> float | None:
        return (self.finished_at - self.started_at).total_seconds() if self.finished_at else None
