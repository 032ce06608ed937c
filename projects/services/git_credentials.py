"""Git tokens of a project: each answers for one host only, stands encrypted here, and reaches the container as a file."""

import re

from django.db import transaction

from projects.models import GitCredential, Project
from projects.models.credential import HOST_PATTERN
from projects.services.credentials import hand_over
from projects.services.errors import BadInput, NotFound
from projects.services.record import Actor, record

DEFAULT_USERNAME = "x-access-token"
TOKEN_MAX_CHARACTERS = 10_000
HOST_NAME_MAX_CHARACTERS = 240  # it becomes a file name


def set_git_credential(*, project: Project, host: str, token: str, username: str = DEFAULT_USERNAME, actor: Actor) -> GitCredential:
    """Make or replace the project's token for `host`; a running container has it at once. Raises BadInput, Unready."""
    host = checked_host(host)
    values = {"token": _checked("token", token, TOKEN_MAX_CHARACTERS), "username": _checked("username", username, 100)}
    with transaction.atomic():
        row, _made = GitCredential.objects.update_or_create(project=project, host=host, defaults=values)
        record("git_credential.set", actor=actor, project=project, message=f"Set the git token for {host}.", host=host)
    hand_over(project)
    return row


def remove_git_credential(*, project: Project, host: str, actor: Actor) -> None:
    """Take the token away, from a running container too. Raises NotFound, BadInput, Unready."""
    host = checked_host(host)
    with transaction.atomic():
        removed, _by_model = GitCredential.objects.filter(project=project, host=host).delete()
        if not removed:
            raise NotFound(f"The project {project.slug} has no git token for {host}; look at the list of its tokens.")
        record("git_credential.removed", actor=actor, project=project, message=f"Removed the git token for {host}.", host=host)
    hand_over(project)


def list_git_credentials(*, project: Project) -> list[GitCredential]:
    """Rows to show by host, username and date; a token is never shown."""
    return list(project.git_credentials.defer("token"))


def checked_host(host: str) -> str:
    """Lower case, as git names it in its prompt. Raises BadInput."""
    found = host.strip().lower() if isinstance(host, str) else ""
    name, _colon, port = found.partition(":")
    if len(name) > HOST_NAME_MAX_CHARACTERS or not re.fullmatch(HOST_PATTERN, found) or (port and not 1 <= int(port) <= 65535):
        raise BadInput("Write the git host as a name with :port where the address has one, for example git.example.com:8443.")
    return found


def _checked(what: str, value: str, most: int) -> str:
    if not isinstance(value, str) or not value.strip() or len(value.strip()) > most:
        raise BadInput(f"Give a {what} of 1 to {most} characters.")
    if not value.strip().isprintable():
        raise BadInput(f"The {what} has a line break or a control character in it; paste it again without.")
    return value.strip()
