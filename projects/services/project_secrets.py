"""A project's secrets: in the environment of each command, never in a container's configuration, and never shown again."""

import re

from django.db import transaction
from django.utils import timezone

from projects.engine.base import MARKER_VARIABLE
from projects.models import Project, ProjectSecret
from projects.models.keys import SECRET_NAME_PATTERN
from projects.services.errors import BadInput, NotFound
from projects.services.record import Actor, record
from projects.services.spec import RESERVED_VARIABLES

SECRETS_LIMIT = 100
VALUE_MOST_CHARACTERS = 32_768
# What the hub's own shells and tools go by: changed, a command would not start, or not be found again.
_OURS = frozenset({*RESERVED_VARIABLES, MARKER_VARIABLE, "PATH", "HOME", "USER", "LOGNAME", "SHELL", "PWD", "IFS", "ENV", "BASH_ENV"})
_OURS_BEGIN = ("CONTAINERHUB_", "LD_", "BASH_FUNC_", "TMUX")
_SHELLS_OWN = frozenset({"BASHOPTS", "SHELLOPTS", "PS4", "UID", "EUID", "PPID", "TERM"})


def set_secret(*, project: Project, name: str, value: str, actor: Actor) -> ProjectSecret:
    """Make or replace the secret; the next command has it. Raises BadInput."""
    name, value = checked_secret_name(name), _checked_value(value)
    with transaction.atomic():
        Project.objects.select_for_update().filter(pk=project.pk).first()  # so that the count below stays true
        others = ProjectSecret.objects.filter(project=project).exclude(name=name)
        if others.count() >= SECRETS_LIMIT:
            raise BadInput(f"A project has at most {SECRETS_LIMIT} secrets; remove one first.")
        values = {"value": value, "set_by_name": actor.name, "updated_at": timezone.now()}
        row, _made = ProjectSecret.objects.update_or_create(project=project, name=name, defaults=values)
        record("secret.set", actor=actor, project=project, message=f"Set the secret {name} of {project.slug}.", name=name)
    return row


def remove_secret(*, project: Project, name: str, actor: Actor) -> None:
    """The next command has it no more; what runs already keeps what it was given. Raises NotFound."""
    with transaction.atomic():
        removed, _by_model = ProjectSecret.objects.filter(project=project, name=name).delete()
        if not removed:
            raise NotFound(f"The project {project.slug} has no secret of that name; look at the list of its secrets.")
        record("secret.removed", actor=actor, project=project, message=f"Removed the secret {name} of {project.slug}.", name=name)


def list_secrets(*, project: Project) -> list[ProjectSecret]:
    """Names and dates; no value is read."""
    return list(ProjectSecret.objects.filter(project=project).defer("value"))


def checked_secret_name(name: str) -> str:
    """Raises BadInput."""
    if not isinstance(name, str) or not re.fullmatch(SECRET_NAME_PATTERN, name):
        raise BadInput("Name a secret as a variable: up to 100 letters, digits and underscores, no digit first, for example API_KEY.")
    if name in _OURS or name in _SHELLS_OWN or name.startswith(_OURS_BEGIN):
        raise BadInput(f"The variable {name} is set by the hub or the shell itself; choose another name.")
    return name


def _checked_value(value: str) -> str:
    if not isinstance(value, str) or not value or len(value) > VALUE_MOST_CHARACTERS:
        raise BadInput(f"Give the secret a value of 1 to {VALUE_MOST_CHARACTERS} characters.")
    if "\0" in value or value.encode(errors="replace").decode() != value:
        raise BadInput("The secret's value holds a NUL, or is no valid text; encode it, for example as base64.")
    return value
