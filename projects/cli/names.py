"""Users and runs by the names that people type, and how these complete."""

from typing import Annotated

import typer
from django.contrib.auth.models import User
from django.db import DatabaseError

from projects.cli.frame import printable
from projects.services.errors import NotFound
from projects.services.run_list import list_runs, short_id

MOST = 100


def user_named(name: str) -> User:
    """Raises NotFound."""
    user = User.objects.filter(username=name).first()
    if user is None:
        raise NotFound(f"There is no user {printable(name)[:150]!r}; make one in the admin, or name another.")
    return user


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


UserArgument = Annotated[str, typer.Argument(metavar="USER", help="The user's name.", autocompletion=complete_user)]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="Its id, or the beginning of it (hub runs).", autocompletion=complete_run)]
