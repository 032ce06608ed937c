"""How containers fared: readings, what was decided by them, and what is remembered from one look to the next."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.project import Project
from projects.states import Cause, Rule, Verdict


class Sample(models.Model):
    """What a running container used: one reading (`span_seconds` 0), or the average of a span that begins at `at`.

    Null is unknown, never 0. Network bytes and CPU seconds are totals since its start.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="samples")
    at = models.DateTimeField()
    span_seconds = models.PositiveSmallIntegerField(default=0)
    docker_id = models.CharField(max_length=12)
    cpu_percent = models.FloatField(null=True)
    cpu_seconds = models.FloatField(null=True)
    memory_mb = models.FloatField()
    memory_percent = models.FloatField(null=True)
    disk_percent = models.FloatField(null=True, help_text="Of the workspace's file system.")
    layer_mb = models.FloatField(null=True)
    pids = models.PositiveIntegerField()
    network_rx_mb = models.FloatField()
    network_tx_mb = models.FloatField()

    class Meta:
        ordering = ["at", "id"]
        constraints = [models.UniqueConstraint(fields=["project", "span_seconds", "at"], name="sample_once")]
        indexes = [models.Index(fields=["span_seconds", "at"])]

    def __str__(self) -> str:
        return f"{self.project_id} at {self.at:%Y-%m-%d %H:%M:%S}"


class Decision(models.Model):
    """Written when what is decided changes; `last_at` is when it was last found so.

    An act (restart, refresh) is begun once: `started_at` is its claim. `done` is None while it is open or under way.
    """

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="decisions")
    at = models.DateTimeField()
    last_at = models.DateTimeField()
    docker_id = models.CharField(max_length=64, blank=True)
    verdict = models.CharField(max_length=8, choices=[(v, v) for v in Verdict])
    rule = models.CharField(max_length=12, choices=[(r, r) for r in Rule], blank=True)
    cause = models.CharField(max_length=16, choices=[(c, c) for c in Cause], blank=True)
    reason = models.TextField()
    numbers = models.JSONField(default=dict)
    due_at = models.DateTimeField(null=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    done = models.BooleanField(null=True)
    outcome = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(verdict__in=list(Verdict)), name="decision_verdict_known"),
            models.CheckConstraint(condition=Q(rule__in=list(Rule)), name="decision_rule_known"),
            models.CheckConstraint(condition=Q(cause__in=list(Cause)), name="decision_cause_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="decision_reason_given"),
        ]
        indexes = [models.Index(fields=["project", "-id"]), models.Index(fields=["started_at"])]

    def __str__(self) -> str:
        return f"{self.verdict}: {self.reason}"


class HealthMemory(models.Model):
    """One row per project: the history that decisions go by, and the container's layer as it was last measured."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, primary_key=True, related_name="health_memory")
    history = models.JSONField(default=dict)
    layer_of = models.CharField(max_length=64, blank=True)
    layer_mb = models.FloatField(null=True)
    layer_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.project_id}"


class Lease(models.Model):
    """The right to do one thing until `expires_at`; `memory` is what its holder leaves for the next."""

    name = models.CharField(max_length=40, primary_key=True)
    holder = models.CharField(max_length=32, blank=True)
    expires_at = models.DateTimeField(default=timezone.now)
    memory = models.JSONField(default=dict)

    def __str__(self) -> str:
        return self.name
