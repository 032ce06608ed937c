"""`hub member`: who belongs to a project."""

from typing import Annotated

import typer

from projects.cli.frame import JsonOption, ProjectArgument, actor, noun, print_json, print_table, project_named
from projects.cli.names import UserArgument, user_named
from projects.cli.times import span
from projects.models import Membership
from projects.services.catalog import remove_member, set_member
from projects.states import Role


def complete_role(incomplete: str) -> list[str]:
    return [role for role in Role if role.startswith(incomplete)]


group = noun("member", "Who belongs to a project: viewers look, operators work, owners also settle.")
RoleArgument = Annotated[str, typer.Argument(metavar="ROLE", help=f"{', '.join(Role)}.", autocompletion=complete_role)]


@group.command()
def ls(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """List the members of a project.

    For example: hub member ls site
    """
    rows = Membership.objects.filter(project=project_named(project)).select_related("user").order_by("user__username")
    if as_json:
        print_json([{"user": row.user.get_username(), "role": row.role, "created_at": row.created_at} for row in rows])
    else:
        print_table(["USER", "ROLE", "SINCE"], [(row.user.get_username(), row.role, f"{span(row.created_at)} ago") for row in rows])


@group.command("set")
def set_role(project: ProjectArgument, user: UserArgument, role: RoleArgument) -> None:
    """Make somebody a member, or change his role.

    For example: hub member set site ann operator
    """
    found = project_named(project)
    member, new = set_member(project=found, user=user_named(user), role=role, actor=actor())
    typer.echo(f"{found.slug}: {user} is {'' if new else 'now '}{member.role}{' (new)' if new else ''}")


@group.command()
def rm(project: ProjectArgument, user: UserArgument) -> None:
    """Take a member out. The last owner stays until there is another.

    For example: hub member rm site ann
    """
    found = project_named(project)
    remove_member(project=found, user=user_named(user), actor=actor())
    typer.echo(f"{found.slug}: {user} is no longer a member")
