"""A git server's token, lent to one project and answered for one host only."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.fields import EncryptedTextField
from projects.models.project import Project

HOST_PATTERN = r"^[a-z0-9](?:[a-z0-9.-]{0,252}[a-z0-9])?(?::[0-9]{1,5})?$"


class GitCredential(models.Model):
    """`host` is as git names it in its prompt: lower case, with the port where it is not the scheme's own."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="git_credentials")
    host = models.CharField(max_length=260, validators=[RegexValidator(HOST_PATTERN, "Write a host name, with :port where it needs one.")])
    username = models.CharField(max_length=100, default="x-access-token")
    token = EncryptedTextField(help_text="Write-only.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["host"]
        constraints = [
            models.UniqueConstraint(fields=["project", "host"], name="git_credential_once"),
            models.CheckConstraint(condition=Q(host__regex=HOST_PATTERN), name="git_credential_host_form"),
        ]

    def __str__(self) -> str:
        return self.host
