"""One row per incarnation of a project's container: what it was, and why it was replaced."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.project import Project


class Container(models.Model):
    """Written when the container is made or adopted; closed (`removed_at`, `end_reason`) when it is gone."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="containers")
    docker_id = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=100)
    generation = models.PositiveIntegerField()
    image = models.CharField(max_length=255)
    image_id = models.CharField(max_length=100, blank=True)
    spec_hash = models.CharField(max_length=64, blank=True)
    cpu_limit = models.FloatField(null=True)
    memory_limit_mb = models.PositiveIntegerField(null=True)
    pids_limit = models.PositiveIntegerField(null=True)
    mounts = models.JSONField(default=list)
    notes = models.JSONField(default=list, help_text="What was left out when it was made, and why.")
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    exit_code = models.IntegerField(null=True, help_text="As last seen after it had ended.")
    oom_killed = models.BooleanField(default=False, help_text="It ended because it ran out of memory.")
    removed_at = models.DateTimeField(null=True)
    end_reason = models.TextField(blank=True)
    setup_run = models.ForeignKey("CommandRun", null=True, on_delete=models.SET_NULL, related_name="+")
    setup_done = models.BooleanField(default=False, help_text="The project's setup was started, or there was none.")
    predecessor_id_on_engine = models.CharField(max_length=64, blank=True, help_text="docker_id kept for the way back, until proven.")
    prove_until = models.DateTimeField(null=True, help_text="A refreshed container is on probation until then.")

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(docker_id=""), name="container_docker_id_given"),
            models.UniqueConstraint(fields=["project"], condition=Q(prove_until__isnull=False), name="container_one_on_probation"),
        ]
        indexes = [models.Index(fields=["project", "removed_at"])]

    def __str__(self) -> str:
        return f"{self.name} {self.docker_id[:12]}"

    @property
    def short_id(self) -> str:
        return self.docker_id[:12]

    def close(self, reason: str) -> None:
        """Mark as gone, once."""
        Container.objects.filter(pk=self.pk, removed_at__isnull=True).update(
            removed_at=timezone.now(), end_reason=reason, prove_until=None, predecessor_id_on_engine=""
        )
