"""`hub token`: keys for the API."""

from datetime import timedelta
from typing import Annotated, Any

import typer
from django.utils import timezone

from projects.cli.frame import JsonOption, NounGroup, actor, noun, print_json, print_table
from projects.cli.names import complete_token, complete_user, token_numbered, user_named
from projects.cli.times import clock, span
from projects.models import ApiToken
from projects.services.tokens import make_token, revoke_token


class TokenGroup(NounGroup):
    """`hub token NAME --user USER` is `hub token create NAME --user USER`, as it was before there were other verbs."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and args[0] not in ("-h", "--help") and self.get_command(ctx, args[0]) is None and not ctx.resilient_parsing:
            args = ["create", *args]
        return super().parse_args(ctx, args)


group = noun("token", "Keys for the API: each may do what its user may.", cls=TokenGroup)
UserOption = Annotated[str, typer.Option("--user", "-u", metavar="USER", help="Whose rights it has.", autocompletion=complete_user)]


@group.command()
def create(
    name: Annotated[str, typer.Argument(help="To tell it by, for example laptop.")],
    user: UserOption,
    days: Annotated[int | None, typer.Option(min=1, max=36500, help="Days until it expires.", show_default="never")] = None,
) -> None:
    """Make a key and print it, once.

    For example: hub token create laptop --user ann --days 90
    """
    expires_at = timezone.now() + timedelta(days=days) if days else None
    row, key = make_token(user=user_named(user), name=name, expires_at=expires_at, actor=actor())
    typer.echo(f"Token {row.pk}. Keep the key now, it is not shown again:", err=True)
    typer.echo(key)


@group.command()
def ls(
    user: Annotated[
        str, typer.Option("--user", "-u", metavar="USER", help="Of that one only.", autocompletion=complete_user, show_default=False)
    ] = "",
    every: Annotated[bool, typer.Option("--all", "-a", help="Also those that are revoked or expired.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Ids only, one a line.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List tokens, newest first. No key is ever shown.

    For example: hub token ls --user ann
    """
    rows = ApiToken.objects.select_related("user")
    found = [row for row in (rows.filter(user=user_named(user)) if user else rows) if every or row.usable]
    if as_json:
        print_json([_json(row) for row in found])
    elif quiet:
        for row in found:
            typer.echo(row.pk)
    else:
        print_table(
            ["ID", "USER", "NAME", "KEY", "STATE", "CREATED", "LAST USED", "EXPIRES"], [_cells(row) for row in found], numbers=["ID"]
        )


@group.command()
def revoke(token: Annotated[int, typer.Argument(metavar="ID", help="Its number (hub token ls).", autocompletion=complete_token)]) -> None:
    """Have a token open nothing any more.

    For example: hub token revoke 7
    """
    found = token_numbered(token)
    revoke_token(token=found, actor=actor())
    typer.echo(f"{found.pk}: revoked ({found.name} of {found.user.get_username()})")


def _state(row: ApiToken) -> str:
    return "revoked" if row.revoked_at else "usable" if row.usable else "expired"


def _cells(row: ApiToken) -> list[object]:
    used = f"{span(row.last_used_at)} ago" if row.last_used_at else "never"
    expires = clock(row.expires_at) if row.expires_at else "never"
    return [row.pk, row.user.get_username(), row.name, f"{row.start}…", _state(row), f"{span(row.created_at)} ago", used, expires]


def _json(row: ApiToken) -> dict[str, Any]:
    return {
        "id": row.pk,
        "user": row.user.get_username(),
        "name": row.name,
        "start": row.start,
        "state": _state(row),
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
