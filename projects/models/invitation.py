"""Invitations: how somebody without an account gets one."""

import hashlib
import secrets
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from projects.models.project import Project
from projects.states import Role


class Invitation(models.Model):
    """A link that makes one account. Only the SHA-256 of its key is kept; the key itself is shown once."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    username = models.CharField(max_length=150, blank=True, help_text="A proposal; who accepts may choose another.")
    email = models.EmailField(blank=True)
    is_administrator = models.BooleanField("administrator", default=False)
    is_staff = models.BooleanField("may enter the admin", default=False)
    may_create_projects = models.BooleanField(default=False)
    projects = models.ManyToManyField(Project, through="InvitedRole", related_name="+")
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    invited_by_name = models.CharField(max_length=150, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(editable=False)
    accepted_at = models.DateTimeField(null=True, editable=False)
    accepted_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+")
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="invitation_digest_form"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_later"),
            models.CheckConstraint(condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_ends_once"),
            models.CheckConstraint(condition=Q(accepted_by=None) | ~Q(accepted_at=None), name="invitation_accepted_when"),
        ]

    def __str__(self) -> str:
        return f"invitation {self.pk}" + (f" for {self.username or self.email}" if self.username or self.email else "")

    @staticmethod
    def digest_of(key: str) -> str:
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def unsaved(cls, **fields: object) -> tuple[Self, str]:
        """A row not yet saved, and its key: 256 random bits, so a plain hash is enough."""
        key = secrets.token_urlsafe(32)
        return cls(digest=cls.digest_of(key), **fields), key

    @property
    def state(self) -> str:
        if self.accepted_at:
            return "accepted"
        if self.revoked_at:
            return "revoked"
        return "open" if self.expires_at > timezone.now() else "expired"


class InvitedRole(models.Model):
    """What an invitation makes its guest in one project."""

    invitation = models.ForeignKey(Invitation, on_delete=models.CASCADE, related_name="roles")
    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="+")
    role = models.CharField(max_length=10, choices=[(r, r) for r in Role], default=Role.VIEWER)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["invitation", "project"], name="invited_role_once"),
            models.CheckConstraint(condition=Q(role__in=list(Role)), name="invited_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.project}"
