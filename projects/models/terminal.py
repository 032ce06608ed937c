"""A terminal: the row of a named tmux session in a project's container."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.project import Project

SESSION_PATTERN = r"^[A-Za-z0-9_-]{1,32}$"


class TerminalSession(models.Model):
    """Open while the session is there; one that ended with its shell or its container is closed when somebody next looks."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="terminals")
    name = models.CharField(max_length=32)
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_input_at = models.DateTimeField(null=True)
    last_output_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    left_docker_id = models.CharField(
        max_length=64, blank=True, help_text="The container that was refreshed under it: it waits to be opened in the next one."
    )
    workdir = models.CharField(max_length=1000, blank=True, help_text="Where its shell stood then.")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], condition=Q(closed_at__isnull=True), name="terminal_open_once"),
            models.CheckConstraint(condition=Q(name__regex=SESSION_PATTERN), name="terminal_name_form"),
        ]

    def __str__(self) -> str:
        return self.name
