"""`hub ensure start stop restart refresh rm`: the life of one project's container."""

import sys
from collections.abc import Callable
from typing import Annotated

import typer

from projects.cli.frame import JsonOption, ProjectArgument, YesOption, actor, print_json, printable, project_named
from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import CommandRun, Project
from projects.services import lifecycle, manifests
from projects.services.errors import HubError


def ensure(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Have the container running, made if need be."""
    _perform(lifecycle.ensure_container, project, as_json)


def start(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Start the container that was stopped."""
    _perform(lifecycle.start_container, project, as_json)


def stop(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Stop the container and keep it.

    Everything that runs in it ends.
    """
    _perform(lifecycle.stop_container, project, as_json)


def restart(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Restart the container.

    Everything that runs in it ends.
    """
    _perform(lifecycle.restart_container, project, as_json)


def refresh(project: ProjectArgument, yes: YesOption = False, as_json: JsonOption = False) -> None:
    """Make the container anew.

    The workspace and the Claude configuration stay; installed packages and running work go. It says first which, and asks on a terminal.
    """
    found = project_named(project)
    lost = _what_would_go(found)
    if lost.docker_id:
        typer.echo(f"{'Lost with the container: ' if lost.contents and lost.loses else ''}{printable(lost.sentence)}", err=True)
    if lost.docker_id and lost.loses and not yes and on_terminal():
        typer.confirm(f"Refresh the container of {found.slug}?", abort=True, err=True)
    _perform(lifecycle.refresh_container, project, as_json)


def _what_would_go(project: Project) -> manifests.ManifestView:
    """What cannot be found out prevents no refresh. Raises EngineUnreachable."""
    try:
        return manifests.look(project=project)
    except EngineUnreachable:
        raise
    except (EngineError, HubError) as error:
        return manifests.unknown(project=project, error=error)


def on_terminal() -> bool:
    """Scripts are not asked."""
    return sys.stdin.isatty()


def remove(
    project: ProjectArgument,
    container: Annotated[bool, typer.Option("--container", help="Remove the container only; the project stays.")] = False,
    yes: YesOption = False,
) -> None:
    """Remove the project and its container, or the container only.

    The workspace directory always stays. It says first what is lost and what is kept.
    """
    found = project_named(project)
    typer.echo(_what_goes(found, container_only=container), err=True)
    if not yes:
        typer.confirm(f"Remove {'the container of ' if container else ''}{found.slug}?", abort=True, err=True)
    if container:
        lifecycle.remove_container(project=found, actor=actor())
        typer.echo(f"{found.slug}: container removed")
    else:
        lifecycle.remove_project(project=found, actor=actor())
        typer.echo(f"{project}: project removed")


def _perform(service: Callable[..., lifecycle.ContainerAnswer], slug: str, as_json: bool) -> None:
    answer = service(project=project_named(slug), actor=actor())
    if as_json:
        print_json({"container_id": answer.container_id, "status": answer.status})
        return
    made = " (made anew)" if answer.status == "refreshed" else " (made)" if answer.created else ""
    typer.echo(f"{slug}: {answer.status} {answer.container_id or 'no container'}{made}")


def _what_goes(project: Project, *, container_only: bool) -> str:
    lost = ["the container with every process, terminal and package installed in it"]
    kept = [f"the workspace {printable(project.path)}", "the event trail"]
    if container_only:
        kept += ["the project and its settings", "its Claude configuration and login", "the output of its commands"]
    else:
        runs = CommandRun.objects.filter(project=project).count()
        members = project.memberships.count()
        lost += ["its Claude configuration and login", "its stored git tokens", f"the output of {runs} commands", f"{members} memberships"]
    return f"lost: {'; '.join(lost)}\nkept: {'; '.join(kept)}"
