"""What a refresh took away: a summary of the old container's layer, made just before."""

from django.db import models
from django.utils import timezone

from projects.models.project import Project


class Manifest(models.Model):
    """`contents` is bounded in size; where it could not be made it is null, and `problem` says why in a sentence."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="manifests")
    docker_id = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)
    reason = models.TextField(help_text="Why the container was refreshed.")
    contents = models.JSONField(null=True)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project", "-id"])]

    def __str__(self) -> str:
        return f"{self.docker_id[:12]} at {self.at:%Y-%m-%d %H:%M:%S}"
