"""Numbers that no other table tells, kept by the process that knows them."""

from django.db import models


class Counter(models.Model):
    """A number that only grows. `labels` is JSON with sorted keys, so that each set of labels is one row."""

    name = models.CharField(max_length=60)
    labels = models.CharField(max_length=200)
    value = models.FloatField(default=0)

    class Meta:
        ordering = ["name", "labels"]
        constraints = [models.UniqueConstraint(fields=["name", "labels"], name="counter_once")]

    def __str__(self) -> str:
        return f"{self.name} {self.labels}"


class OpenSockets(models.Model):
    """How many websockets of a kind a process holds open. It counts while that process lives: its number and its start tell it."""

    pid = models.PositiveIntegerField()
    process_start = models.CharField(max_length=64, help_text="Boot and clock ticks after it: a number is given again, this is not.")
    kind = models.CharField(max_length=20)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["pid", "kind"]
        verbose_name_plural = "open sockets"
        constraints = [models.UniqueConstraint(fields=["pid", "process_start", "kind"], name="open_sockets_once")]

    def __str__(self) -> str:
        return f"{self.count} {self.kind} of {self.pid}"
