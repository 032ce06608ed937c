"""An image build: its row. The log stands in a file in the data directory."""

from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.states import BuildState


class ImageBuild(models.Model):
    """Saved before the build and patched after; `step` of `steps` while it goes on."""

    tag = models.CharField(max_length=255)
    state = models.CharField(max_length=12, choices=[(s, s) for s in BuildState], default=BuildState.RUNNING)
    step = models.PositiveIntegerField(null=True)
    steps = models.PositiveIntegerField(null=True)
    image_id = models.CharField(max_length=100, blank=True)
    message = models.TextField(blank=True)
    actor_name = models.CharField(max_length=150)
    cancelled_by = models.CharField(max_length=150, blank=True, help_text="Who asked for its end while it ran; its builder sees to it.")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(BuildState)), name="build_state_known"),
            # One build of a tag at a time: the row is the lock.
            models.UniqueConstraint(fields=["tag"], condition=Q(state=BuildState.RUNNING), name="build_one_at_a_time"),
        ]

    def __str__(self) -> str:
        return f"{self.tag} #{self.pk}"
