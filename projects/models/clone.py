"""A repository that is to become a project: what was asked for, and how far it is."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.fields import EncryptedTextField
from projects.models.project import Project
from projects.states import CloneState


class Clone(models.Model):
    """Saved with its task in one transaction; the worker that does it renews `claimed_at`. The token is gone once it is over."""

    url = models.CharField(max_length=2000)
    name = models.CharField(max_length=100, blank=True)
    path = models.CharField(max_length=1000, blank=True)
    fields = models.JSONField(default=dict, help_text="The project's settings that were asked for.")
    token = EncryptedTextField(blank=True, default="")
    ensure = models.BooleanField(default=True, help_text="Its container is made once the project is.")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    actor_name = models.CharField(max_length=150)
    state = models.CharField(max_length=10, choices=[(s, s) for s in CloneState], default=CloneState.QUEUED)
    output = models.TextField(blank=True, help_text="The end of what git said.")
    message = models.TextField(blank=True, help_text="One sentence, with the remedy where it failed.")
    project = models.ForeignKey(Project, null=True, on_delete=models.SET_NULL, related_name="+")
    cancelled_by = models.CharField(max_length=150, blank=True)
    claimed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(state__in=list(CloneState)), name="clone_state_known"),
            models.CheckConstraint(
                condition=Q(state__in=[CloneState.QUEUED, CloneState.RUNNING], finished_at__isnull=True)
                | (Q(finished_at__isnull=False, token="") & ~Q(state__in=[CloneState.QUEUED, CloneState.RUNNING])),
                name="clone_over_when_final",
            ),
        ]
        indexes = [models.Index(fields=["state", "claimed_at"])]

    def __str__(self) -> str:
        return f"{self.url} #{self.pk}"

    @property
    def over(self) -> bool:
        return self.finished_at is not None
