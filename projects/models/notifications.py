"""Who is told of what happens, and how each telling went."""

import uuid
from urllib.parse import urlsplit

from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.fields import EncryptedTextField
from projects.models.project import Project
from projects.states import ChannelKind, DeliveryState


class Channel(models.Model):
    """A mail address or a webhook that is told of some topics: the hub's (`project` null; it hears of every project) or a project's.

    A webhook's address often holds a key of its own, so it stands encrypted as the signing secret does; neither is shown again.
    """

    project = models.ForeignKey(Project, null=True, blank=True, on_delete=models.CASCADE, related_name="channels")
    name = models.CharField(max_length=100)
    kind = models.CharField(max_length=7, choices=[(k, k) for k in ChannelKind])
    target = EncryptedTextField(help_text="A mail address, or the webhook's url.")
    secret = EncryptedTextField(blank=True, help_text="Signs what a webhook gets; shown once.")
    wants = models.JSONField(default=list, help_text="Topics.")
    any_address = models.BooleanField(default=False, help_text="An administrator made it: it may lead into the hub's own network.")
    after_event = models.PositiveBigIntegerField(default=0, help_text="It hears of no event up to this one.")
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=list(ChannelKind)), name="channel_kind_known"),
            models.CheckConstraint(condition=~Q(name="") & ~Q(target=""), name="channel_name_and_target_given"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def address(self) -> str:
        """Whom it reaches, as it may be shown: of a url only scheme and host."""
        if self.kind == ChannelKind.EMAIL:
            return str(self.target)
        url = urlsplit(self.target)
        return f"{url.scheme}://{url.netloc}/…"


class Delivery(models.Model):
    """One event to be told to one channel; a test has no event. `next_at` is when it is tried next, or, while it is tried, given up.

    The unique pair makes a second delivery of the same event no second telling. The text is kept, since events are hints of it only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    channel = models.ForeignKey(Channel, on_delete=models.CASCADE, related_name="deliveries")
    event_id = models.PositiveBigIntegerField(null=True, help_text="Of the audit trail; none of a test.")
    event_kind = models.CharField(max_length=40)
    event_at = models.DateTimeField(default=timezone.now)
    project_slug = models.CharField(max_length=50, blank=True)
    subject = models.CharField(max_length=80, help_text="Topic and project: one mail an hour.")
    message = models.TextField()
    state = models.CharField(max_length=9, choices=[(s, s) for s in DeliveryState], default=DeliveryState.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    response_code = models.PositiveSmallIntegerField(null=True, help_text="Of the last attempt; none where nobody answered.")
    error = models.TextField(blank=True, help_text="Of the last attempt: one sentence.")
    next_at = models.DateTimeField(null=True, default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name_plural = "deliveries"
        constraints = [
            models.UniqueConstraint(fields=["channel", "event_id"], name="delivery_once"),
            models.CheckConstraint(condition=Q(state__in=list(DeliveryState)), name="delivery_state_known"),
            models.CheckConstraint(
                condition=Q(state=DeliveryState.WAITING, next_at__isnull=False, finished_at__isnull=True)
                | (~Q(state=DeliveryState.WAITING) & Q(next_at__isnull=True, finished_at__isnull=False)),
                name="delivery_ended_when_final",
            ),
        ]
        indexes = [models.Index(fields=["state", "next_at"]), models.Index(fields=["channel", "subject", "finished_at"])]

    def __str__(self) -> str:
        return f"{self.event_kind} to {self.channel}"
