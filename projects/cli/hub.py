"""`hub add clone discover cleanup chown doctor`: the hub itself and what it knows."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from projects.cli.frame import REFUSED, JsonOption, ProjectArgument, YesOption, actor, print_json, print_table, printable, project_named
from projects.cli.progress import GitSteps
from projects.cli.secret_input import read_secret
from projects.cli.signals import Signals
from projects.models import Project
from projects.services.catalog import create_project
from projects.services.cleanup import cleanup_all
from projects.services.cloning import clone_project
from projects.services.discovery import discover_projects
from projects.services.doctor import Finding, Severity, examine
from projects.services.errors import HubError
from projects.services.ownership import change_owner
from projects.services.workspace import Owner

LendOption = Annotated[
    bool | None, typer.Option("--lend/--no-lend", help="Lend the host's git and Claude credentials to it.", show_default="lend")
]


def add(
    path: Annotated[Path, typer.Argument(help="The workspace: a directory below a workspace root.")],
    name: Annotated[str | None, typer.Option(help="For people; the slug is made from it.", show_default="the directory's name")] = None,
    lend: LendOption = None,
) -> None:
    """Make a project of a directory.

    Its container is made by hub ensure.
    """
    whole = Path(os.path.abspath(path.expanduser()))
    fields: dict[str, Any] = {} if lend is None else {"uses_host_credentials": lend}
    project = create_project(actor=actor(), name=name or whole.name, path=str(whole), **fields)
    typer.echo(f"{project.slug}: made from {printable(project.path)}")
    _tell_lent(project)


def clone(
    url: Annotated[str, typer.Argument(help="An https or ssh address, without credentials.")],
    name: Annotated[str | None, typer.Option(help="For people; the slug is made from it.", show_default="the repository's name")] = None,
    path: Annotated[
        Path | None, typer.Option(help="Where to; it must not be there yet.", show_default="below the first workspace root")
    ] = None,
    with_token: Annotated[bool, typer.Option("--token", help="Ask for a git token (or read it from stdin), and keep it.")] = False,
    lend: LendOption = None,
) -> None:
    """Clone a git repository and make a project of it.

    It is cloned in a throw-away container; where that fails, nothing is left.
    """
    fields: dict[str, Any] = {} if lend is None else {"uses_host_credentials": lend}
    token = read_secret("Git token") if with_token else ""
    where = os.path.abspath(path.expanduser()) if path else ""
    with Signals() as signals, GitSteps(f"Cloning {url}") as steps:
        try:
            project = clone_project(
                actor=actor(),
                url=url,
                name=name or "",
                path=where,
                token=token,
                owner=_caller(),
                on_output=steps,
                stop=lambda: signals.status is not None,
                **fields,
            )
        except HubError as error:
            if signals.status is None:
                raise
            raise typer.Exit(signals.status) from error
    typer.echo(f"{project.slug}: cloned to {printable(project.path)}")
    _tell_lent(project)


def _tell_lent(project: Project) -> None:
    if project.uses_host_credentials:
        typer.echo("The host's credentials are lent to it: whoever has a terminal there can read them (--no-lend prevents it).", err=True)


def _caller() -> Owner:
    """Who called sudo, or 1000."""
    uid = int(os.environ.get("SUDO_UID", 0)) or 1000
    return Owner(uid, int(os.environ.get("SUDO_GID", 0)) or uid)


def discover(as_json: JsonOption = False) -> None:
    """List git repositories that are no projects yet.

    They are looked for below the workspace roots.
    """
    found = discover_projects()
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        print_table(["NAME", "OWNER UID", "PATH"], [(one.name, one.owner_uid, one.path) for one in found], numbers=["OWNER UID"])


def cleanup(
    dry_run: Annotated[bool, typer.Option("--dry-run/--no-dry-run", help="Show what would be removed, or remove it.")] = True,
    yes: YesOption = False,
    as_json: JsonOption = False,
) -> None:
    """Stop and remove every container of this hub.

    Projects, workspaces and Claude configurations stay. Without --no-dry-run it only shows what it would do.
    """
    if not dry_run and not yes:
        count = len(cleanup_all(actor=actor(), dry_run=True).items)
        typer.confirm(f"Stop and remove {count} containers, with everything that runs in them?", abort=True, err=True)
    report = cleanup_all(actor=actor(), dry_run=dry_run)
    if as_json:
        print_json(asdict(report))
    else:
        done = "would be removed" if dry_run else "removed"
        rows = [(i.name, i.container_id, i.project, i.status, i.error or (done if dry_run or i.removed else "kept")) for i in report.items]
        print_table(["CONTAINER", "ID", "PROJECT", "STATUS", "RESULT"], rows)
    if any(item.error for item in report.items):
        raise typer.Exit(REFUSED)


def chown(
    project: ProjectArgument,
    uid: Annotated[int | None, typer.Option(min=1, help="The new owner.", show_default="who called sudo, or 1000")] = None,
    gid: Annotated[int | None, typer.Option(min=1, help="The new group.", show_default="as --uid")] = None,
    yes: YesOption = False,
) -> None:
    """Give a workspace's files to another owner.

    A container works as the owner of its workspace, never as root. No link is followed.
    """
    found = project_named(project)
    owner = uid or _caller().uid
    group = gid or (_caller().gid if uid is None else uid)
    if not yes:
        typer.confirm(f"Give every file in {printable(found.path)} to {owner}:{group}?", abort=True, err=True)
    change_owner(project=found, actor=actor(), uid=owner, gid=group)
    typer.echo(f"{found.slug}: the workspace belongs to {owner}:{group}")


def doctor(as_json: JsonOption = False) -> None:
    """Examine the host, the Engine and the hub.

    Every fault comes with its remedy. Exit status 1 when one of them is an error.
    """
    findings = examine()
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            _show_finding(finding)
    if any(finding.ok is False and finding.severity is Severity.ERROR for finding in findings):
        raise typer.Exit(REFUSED)


def _show_finding(finding: Finding) -> None:
    mark, colour = {True: ("ok", "green"), None: ("?", "blue")}.get(finding.ok, (finding.severity.value, "red"))
    if finding.ok is False and finding.severity is Severity.WARNING:
        colour = "yellow"
    typer.echo(f"{typer.style(f'{mark:8}', fg=colour)} {printable(finding.check)}: {printable(finding.message)}")
    if finding.remedy and finding.ok is not True:
        typer.echo(f"{'':8} -> {printable(finding.remedy)}")
