"""What a project holds in confidence beside its git tokens: its deploy key, and its secrets."""

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models.fields import EncryptedTextField
from projects.models.project import Project

SECRET_NAME_PATTERN = r"^[A-Za-z_][A-Za-z0-9_]{0,99}$"


class DeployKey(models.Model):
    """The project's own SSH key (ed25519). Git servers get the public half; the private one only its container, as a file."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="deploy_key")
    public_key = models.CharField(max_length=300, help_text="One line, for the git server's list of deploy keys.")
    private_key = EncryptedTextField(help_text="OpenSSH's format; shown nowhere.")
    fingerprint = models.CharField(max_length=60, help_text="As ssh-keygen -l shows it.")
    created_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["project"]
        constraints = [
            models.CheckConstraint(condition=Q(public_key__startswith="ssh-ed25519 "), name="deploy_key_public_form"),
            models.CheckConstraint(condition=Q(fingerprint__startswith="SHA256:"), name="deploy_key_fingerprint_form"),
        ]

    def __str__(self) -> str:
        return self.fingerprint


class ProjectSecret(models.Model):
    """A variable of every command and new terminal of the project, and of no container's configuration. Write-only."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="secrets")
    name = models.CharField(max_length=100, validators=[RegexValidator(SECRET_NAME_PATTERN, "Letters, digits and underscores.")])
    value = EncryptedTextField(help_text="Write-only.")
    set_by_name = models.CharField(max_length=150)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="secret_once"),
            models.CheckConstraint(condition=Q(name__regex=SECRET_NAME_PATTERN), name="secret_name_form"),
            models.CheckConstraint(condition=~Q(value=""), name="secret_value_given"),
        ]

    def __str__(self) -> str:
        return self.name
