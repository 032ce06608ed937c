"""The audit trail: one line of what happened. Append-only; it outlives what it speaks of."""

from typing import Any

from django.db import models
from django.utils import timezone


class Event(models.Model):
    """Who, what, which project, when. Slug and actor stand as text, and nothing cascades here."""

    at = models.DateTimeField(default=timezone.now, db_index=True)
    kind = models.CharField(max_length=40, db_index=True, help_text="For example container.started")
    project_slug = models.CharField(max_length=50, blank=True)
    actor_name = models.CharField(max_length=150)
    message = models.TextField(help_text="One sentence for people.")
    details = models.JSONField(default=dict)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["project_slug", "-id"])]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.message}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise TypeError("An event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError("An event is never deleted.")
