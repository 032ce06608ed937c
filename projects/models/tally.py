"""Counted over all processes and restarts, for /metrics."""

from django.db import models


class Tally(models.Model):
    """How often something was measured, and the sum of what was measured; both only ever grow."""

    name = models.CharField(max_length=40)
    labels = models.JSONField(default=dict, help_text="Text by label name.")
    key = models.CharField(max_length=200, unique=True, help_text="Name and labels, in one form of writing.")
    count = models.BigIntegerField(default=0)
    total = models.FloatField(default=0)

    class Meta:
        verbose_name_plural = "tallies"

    def __str__(self) -> str:
        return self.key
