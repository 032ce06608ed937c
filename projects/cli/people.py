"""`hub user`: accounts, what they may beside their roles in projects, and invitations."""

from typing import Annotated, Any

import typer

from projects.cli.frame import JsonOption, actor, noun, print_json, print_table, printable, project_named
from projects.cli.names import UserArgument, complete_project_role, invitation_numbered, user_named
from projects.cli.secret_input import read_secret
from projects.cli.times import clock, span
from projects.models import Invitation, Project
from projects.services import invitations, people
from projects.states import Role

group = noun("user", "People: accounts, invitations, and what they may beside their roles in projects.")
GrantOption = Annotated[bool, typer.Option("--grant/--revoke", help="Give the right, or take it back.", show_default=False)]
AdminOption = Annotated[bool, typer.Option("--admin", help="May do everything.")]
StaffOption = Annotated[bool, typer.Option("--staff", help="May enter the admin, and see there what the roles show.")]
CreatorOption = Annotated[bool, typer.Option("--creator", help="May make projects.")]
EmailOption = Annotated[str, typer.Option(help="Where mail goes.", show_default=False)]


@group.command()
def ls(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names only, one a line.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the accounts.

    For example: hub user ls
    """
    rows = list(people.list_users())
    if as_json:
        print_json([_json(row) for row in rows])
    elif quiet:
        for row in rows:
            typer.echo(row.username)
    else:
        columns = ["USER", "ACTIVE", "RIGHTS", "SECOND FACTOR", "EMAIL", "LAST SIGN-IN"]
        print_table(columns, [_cells(row) for row in rows])


@group.command()
def create(
    user: Annotated[str, typer.Argument(metavar="USER", help="The name to sign in with.")],
    email: EmailOption = "",
    admin: AdminOption = False,
    staff: StaffOption = False,
    creator: CreatorOption = False,
    with_password: Annotated[
        bool, typer.Option("--password/--no-password", help="Ask for one (or read it from stdin), or set none.")
    ] = True,
) -> None:
    """Make an account. An invitation is the better way: then only its owner ever knows the password.

    For example: hub user create ann --email ann@example.com
    """
    name = people.checked_username(user)  # before anything is typed
    password = read_secret("Password", twice=True) if with_password else None
    made = people.create_user(
        actor=actor(), username=name, password=password, email=email, administrator=admin, staff=staff, may_create_projects=creator
    )
    typer.echo(f"{made.username}: made{'' if with_password else ', without a password: nobody can sign in with it yet'}")


@group.command()
def password(user: UserArgument) -> None:
    """Set a password: it is asked for, or read from stdin. Every session of the account ends.

    For example: hub user password ann
    """
    found = user_named(user)
    people.set_password(user=found, password=read_secret("New password", twice=True), actor=actor())
    typer.echo(f"{found.username}: the password is set")


@group.command()
def activate(user: UserArgument) -> None:
    """Switch an account on again.

    For example: hub user activate ann
    """
    found = user_named(user)
    people.set_active(user=found, active=True, actor=actor())
    typer.echo(f"{found.username}: active")


@group.command()
def deactivate(user: UserArgument) -> None:
    """Switch an account off: its sessions end, its tokens open nothing. Nothing of it is removed.

    For example: hub user deactivate ann
    """
    found = user_named(user)
    people.deactivate_user(user=found, actor=actor())
    typer.echo(f"{found.username}: not active any more")


@group.command()
def admin(user: UserArgument, grant: GrantOption = True) -> None:
    """Make somebody an administrator, or no longer one. The last one stays.

    For example: hub user admin ann --revoke
    """
    found = user_named(user)
    people.set_administrator(user=found, administrator=grant, actor=actor())
    typer.echo(f"{found.username}: {'' if grant else 'no '}administrator")


@group.command()
def staff(user: UserArgument, grant: GrantOption = True) -> None:
    """Let somebody into the admin, or no longer.

    For example: hub user staff ann --grant
    """
    found = user_named(user)
    people.set_staff(user=found, staff=grant, actor=actor())
    typer.echo(f"{found.username}: may {'' if grant else 'not '}enter the admin")


@group.command()
def creator(user: UserArgument, grant: GrantOption = True) -> None:
    """Let somebody make projects, or no longer.

    For example: hub user creator ann --grant
    """
    found = user_named(user)
    people.grant_project_creation(user=found, granted=grant, actor=actor())
    typer.echo(f"{found.username}: may {'' if grant or found.is_superuser else 'not '}make projects")


@group.command()
def end_sessions(user: UserArgument) -> None:
    """Sign somebody out everywhere; API tokens stay.

    For example: hub user end-sessions ann
    """
    found = user_named(user)
    typer.echo(f"{found.username}: {people.end_sessions(user=found, actor=actor())} sessions ended")


@group.command()
def remove_factor(user: UserArgument) -> None:
    """Remove the second factor of somebody who lost it; his sessions end.

    For example: hub user remove-factor ann
    """
    found = user_named(user)
    gone = people.remove_second_factor(user=found, actor=actor())
    typer.echo(f"{found.username}: {'the second factor is removed' if gone else 'has no second factor'}")


# -- invitations ----------------------------------------------------------------------------


@group.command()
def invite(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="A proposal; the guest may choose another.")] = "",
    email: EmailOption = "",
    roles: Annotated[
        list[str] | None,
        typer.Option("--role", "-r", metavar="PROJECT=ROLE", help="May be repeated.", autocompletion=complete_project_role),
    ] = None,
    admin: AdminOption = False,
    staff: StaffOption = False,
    creator: CreatorOption = False,
) -> None:
    """Invite somebody and print the link, once; send it yourself.

    For example: hub user invite ann --role site=operator
    """
    row, key = invitations.invite(
        actor=actor(),
        username=name,
        email=email,
        administrator=admin,
        staff=staff,
        may_create_projects=creator,
        roles=dict(_role(word) for word in roles or ()),
    )
    typer.echo(f"Invitation {row.pk}, good until {clock(row.expires_at)}. Whoever opens this link first makes the account:", err=True)
    typer.echo(invitations.link_of(key))


@group.command("invitations")
def list_invitations(
    every: Annotated[bool, typer.Option("--all", "-a", help="Also those that have ended.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the invitations, newest first. No link is ever shown again.

    For example: hub user invitations --all
    """
    rows = [row for row in invitations.list_invitations() if every or row.state == "open"]
    if as_json:
        print_json([_invitation_json(row) for row in rows])
    else:
        columns = ["ID", "FOR", "STATE", "ROLES", "BY", "EXPIRES"]
        print_table(columns, [_invitation_cells(row) for row in rows], numbers=["ID"])


@group.command()
def uninvite(invitation: Annotated[int, typer.Argument(metavar="ID", help="Its number (hub user invitations).")]) -> None:
    """Have an invitation open nothing any more.

    For example: hub user uninvite 3
    """
    found = invitation_numbered(invitation)
    invitations.revoke_invitation(invitation=found, actor=actor())
    found.refresh_from_db()
    typer.echo(f"{found.pk}: {found.state}")


def _role(word: str) -> tuple[Project, str]:
    """Raises BadParameter, NotFound."""
    slug, sign, role = word.partition("=")
    if not sign or role not in list(Role):
        raise typer.BadParameter(f"{printable(word)[:80]!r} is no role; write PROJECT={'|'.join(Role)}")
    return project_named(slug), role


# -- answers --------------------------------------------------------------------------------


def _cells(row: Any) -> list[object]:
    """`row` of `people.list_users`."""
    rights = (
        "administrator"
        if row.is_superuser
        else ", ".join(word for word, has in (("admin pages", row.is_staff), ("makes projects", row.creates_projects)) if has)
    )
    signed_in = f"{span(row.last_login)} ago" if row.last_login else "never"
    active, factor = ("yes" if has else "no" for has in (row.is_active, row.second_factor))
    return [row.username, active, rights or "-", factor, row.email or "-", signed_in]


def _json(row: Any) -> dict[str, Any]:
    return {
        "username": row.username,
        "email": row.email,
        "is_active": row.is_active,
        "is_administrator": row.is_superuser,
        "is_staff": row.is_staff,
        "may_create_projects": row.creates_projects,
        "second_factor": row.second_factor,
        "created_at": row.date_joined,
        "last_login_at": row.last_login,
    }


def _invitation_cells(row: Invitation) -> list[object]:
    roles = ", ".join(f"{one.project.slug}={one.role}" for one in row.roles.all())
    return [row.pk, row.username or row.email or "-", row.state, roles or "-", row.invited_by_name, clock(row.expires_at)]


def _invitation_json(row: Invitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "username": row.username,
        "email": row.email,
        "is_administrator": row.is_administrator,
        "is_staff": row.is_staff,
        "may_create_projects": row.may_create_projects,
        "roles": [{"project": one.project.slug, "role": one.role} for one in row.roles.all()],
        "invited_by": row.invited_by_name,
        "accepted_by": row.accepted_by.username if row.accepted_by else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }
