"""What the hub knows of itself: its identity, and the signs of life of its processes."""

import uuid

from django.db import models
from django.utils import timezone


class Instance(models.Model):
    """One row: the identity that labels every container of this hub."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    uuid = models.UUIDField(default=uuid.uuid4, editable=False)
    engine_reachable = models.BooleanField(default=True)
    engine_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="instance_only_one")]

    def __str__(self) -> str:
        return str(self.uuid)


class Heartbeat(models.Model):
    """The last sign of life of a role, and when its present process started."""

    role = models.CharField(max_length=20, primary_key=True)
    started_at = models.DateTimeField(default=timezone.now)
    beat_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.role} at {self.beat_at}"
