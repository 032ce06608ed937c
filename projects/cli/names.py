"""Users, runs, tokens and the like by the names that people type, and how these complete."""

from typing import Annotated

import typer
from django.contrib.auth.models import User
from django.db import DatabaseError

from projects.cli.frame import printable
from projects.models import ApiToken, Channel, GitCredential, Invitation, Project, ProjectSecret
from projects.services.errors import NotFound
from projects.services.run_list import list_runs, short_id
from projects.states import Role

MOST = 100
LARGEST_ID = 2**63 - 1


def user_named(name: str) -> User:
    """Raises NotFound."""
    user = User.objects.filter(username=name).first() if "\0" not in name else None
    if user is None:
        raise NotFound(f"There is no user {printable(name)[:150]!r}; hub user ls lists them, hub user create makes one.")
    return user


def token_numbered(number: int) -> ApiToken:
    """Raises NotFound."""
    token = ApiToken.objects.select_related("user").filter(pk=number).first() if 0 < number <= LARGEST_ID else None
    if token is None:
        raise NotFound(f"There is no token {number}; hub token ls --all lists them.")
    return token


def invitation_numbered(number: int) -> Invitation:
    """Raises NotFound."""
    invitation = Invitation.objects.filter(pk=number).first() if 0 < number <= LARGEST_ID else None
    if invitation is None:
        raise NotFound(f"There is no invitation {number}; hub user invitations --all lists them.")
    return invitation


def channel_numbered(number: int) -> Channel:
    """Raises NotFound."""
    channel = Channel.objects.select_related("project").filter(pk=number).first() if 0 < number <= LARGEST_ID else None
    if channel is None:
        raise NotFound(f"There is no channel {number}; hub notify ls lists them.")
    return channel


def complete_channel(incomplete: str) -> list[tuple[str, str]]:
    """Each with its name."""
    try:
        rows = list(Channel.objects.values_list("pk", "name")[:MOST])
    except DatabaseError:
        return []
    return [(str(pk), printable(name)) for pk, name in rows if str(pk).startswith(incomplete)]


def complete_user(incomplete: str) -> list[str]:
    """Silent where the database cannot be read, as every completion."""
    try:
        return list(User.objects.filter(username__startswith=incomplete).order_by("username").values_list("username", flat=True)[:MOST])
    except DatabaseError:
        return []


def complete_run(incomplete: str) -> list[tuple[str, str]]:
    """The newest runs, each with its command."""
    try:
        found = [(short_id(run), f"{run.project.slug}: {printable(run.command)[:60]}") for run in list_runs(limit=MOST)]
    except DatabaseError:
        return []
    return [one for one in found if one[0].startswith(incomplete)]


def complete_token(incomplete: str) -> list[tuple[str, str]]:
    """The usable ones, each with its name and whose it is."""
    try:
        rows = list(ApiToken.objects.filter(revoked_at__isnull=True).select_related("user")[:MOST])
    except DatabaseError:
        return []
    found = [(str(row.pk), printable(f"{row.name} of {row.user.get_username()}")) for row in rows]
    return [one for one in found if one[0].startswith(incomplete)]


def complete_project_role(incomplete: str) -> list[str]:
    """PROJECT=ROLE."""
    try:
        slugs = list(Project.objects.values_list("slug", flat=True)[:MOST])
    except DatabaseError:
        return []
    return [word for slug in slugs for role in Role if (word := f"{slug}={role}").startswith(incomplete)]


def complete_secret(ctx: typer.Context, incomplete: str) -> list[str]:
    """Names of the project's secrets."""
    try:
        rows = ProjectSecret.objects.filter(project__slug=ctx.params.get("project") or "", name__startswith=incomplete)
        return list(rows.values_list("name", flat=True)[:MOST])
    except DatabaseError:
        return []


def complete_git_host(ctx: typer.Context, incomplete: str) -> list[str]:
    """Hosts that the project has tokens for."""
    try:
        rows = GitCredential.objects.filter(project__slug=ctx.params.get("project") or "", host__startswith=incomplete)
        return list(rows.values_list("host", flat=True)[:MOST])
    except DatabaseError:
        return []


UserArgument = Annotated[str, typer.Argument(metavar="USER", help="The user's name.", autocompletion=complete_user)]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it (hub runs).", autocompletion=complete_run)]
