"""What every command shares: exit statuses, errors as one line, the project named, and how answers are printed."""

import getpass
import json
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, ClassVar

import typer
from django.db import DatabaseError
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

from projects.access import AccessDenied
from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import Project
from projects.models.fields import WrongEncryptionKey
from projects.services.errors import HubError, NotFound
from projects.services.record import Actor

OK, REFUSED, USAGE, UNREACHABLE = 0, 1, 2, os.EX_UNAVAILABLE
TIMED_OUT = 124  # as timeout(1)
HELP = {"help_option_names": ["-h", "--help"]}

# Typer exports only the leaves of its usage errors; their base is every "you called it wrongly".
_UsageError: type[Exception] = typer.BadParameter.__bases__[0]


class NounGroup(TyperGroup):
    """A noun with its verbs, as `docker image ls`; `list` and `remove` are other words for its `ls` and `rm`."""

    other_words: ClassVar[dict[str, str]] = {"list": "ls", "remove": "rm"}

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return super().get_command(ctx, cmd_name) or super().get_command(ctx, self.other_words.get(cmd_name, cmd_name))


def noun(name: str, about: str, *, cls: type[NounGroup] = NounGroup) -> typer.Typer:
    """A group of that name; alone it shows its help."""
    group = typer.Typer(name=name, help=about, cls=cls, invoke_without_command=True, context_settings=HELP)

    @group.callback()
    def alone(context: typer.Context) -> None:
        if context.invoked_subcommand is None:
            typer.echo(context.get_help())

    return group


class HubGroup(NounGroup):
    """The whole, whose errors are one line on stderr, `hub: …`, each with its exit status."""

    other_words: ClassVar[dict[str, str]] = {"ls": "ps", "list": "ps", "remove": "rm"}

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Ends the process, whatever `standalone_mode` says."""
        try:
            status = super().main(args, prog_name, complete_var, False, windows_expand_args, **extra)
        except _UsageError as error:
            status = _usage(error)
        except typer.Abort:
            status = complain("not confirmed, so nothing was done; answer y, or give --yes.")
        except EngineUnreachable as error:
            status = complain(str(error), UNREACHABLE)
        except (HubError, EngineError, AccessDenied, WrongEncryptionKey) as error:
            status = complain(str(error))
        except DatabaseError as error:
            status = complain(f"the database cannot be used ({error}); is it migrated (make up), and is there room on its disk?")
        sys.exit(status if isinstance(status, int) else OK)


def _usage(error: Exception) -> int:
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "hub"
    message = " ".join(str(getattr(error, "format_message", error.__str__)()).split())
    hint = "put -- before the command, and " if path == "hub exec" else ""
    sentence = f"{message} See" if message.endswith("?") else f"{message.rstrip('.')}; {hint}see"
    return complain(f"{sentence} {path} --help", USAGE)


def complain(message: str, status: int = REFUSED) -> int:
    """One line on stderr; answers the status to exit with."""
    typer.echo(f"hub: {' '.join(message.split())}", err=True)
    return status


def actor() -> Actor:
    """The operating system's user, who may do everything here."""
    try:
        return Actor(name=os.environ.get("SUDO_USER") or getpass.getuser())
    except (KeyError, OSError):
        return Actor(name=f"uid {os.getuid()}")


# -- projects -------------------------------------------------------------------------------


def project_named(slug: str) -> Project:
    """Raises NotFound."""
    project = Project.objects.filter(slug=slug).first()
    if project is None:
        raise NotFound(f"There is no project {printable(slug)!r}; hub ps lists them, hub add makes one.")
    return project


def complete_project(incomplete: str) -> list[str]:
    """Slugs that begin like that; none where the database cannot be read, since completion must stay silent."""
    try:
        return list(Project.objects.filter(slug__startswith=incomplete).values_list("slug", flat=True)[:100])
    except DatabaseError:
        return []


ProjectArgument = Annotated[str, typer.Argument(metavar="PROJECT", help="The project's slug.", autocompletion=complete_project)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", "--force", "-f", help="Do not ask.")]


# -- answers --------------------------------------------------------------------------------


def printable(text: object) -> str:
    """Without control characters, so that no name or path can drive the terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in str(text))


def print_json(answer: object) -> None:
    typer.echo(json.dumps(answer, indent=2, default=str))


def table_of(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[str] = ()) -> Table:
    """Columns as wide as they need, folded where the terminal is narrower."""
    right = set(numbers)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    return table


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Iterable[str] = ()) -> None:
    """Never folded when the output is no terminal: there a row is a line."""
    console = Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else 5000)
    console.print(table_of(columns, rows, numbers=numbers))
