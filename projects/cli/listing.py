"""`hub ps`, `hub stats`, `hub logs`: looking, without changing anything that anyone asked for."""

import sys
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

import typer
from django.utils import timezone

from projects.cli.frame import (
    OK,
    UNREACHABLE,
    JsonOption,
    ProjectArgument,
    actor,
    complain,
    complete_project,
    print_json,
    print_table,
    project_named,
)
from projects.engine.errors import EngineUnreachable
from projects.models import Project
from projects.services.container_logs import container_logs
from projects.services.errors import ContainerNotRunning
from projects.services.reconcile import reconcile
from projects.services.usage import Stats, get_stats
from projects.states import Status


def ps(as_json: JsonOption = False) -> None:
    """List the projects and what is seen of their containers now."""
    status = OK
    try:
        reconcile(actor=actor())
    except EngineUnreachable as error:
        status = complain(str(error), UNREACHABLE)  # what was seen last is shown all the same, as unknown
    projects = list(Project.objects.all())
    if as_json:
        print_json([_row(project) for project in projects])
    elif projects:
        print_table(
            ["PROJECT", "STATUS", "HEALTH", "WANTED", "DOING", "CONTAINER", "SEEN", "WORKSPACE"],
            [
                (p.slug, p.status, p.health, p.wanted, p.pending_action or "-", p.docker_id[:12] or "-", ago(p.status_at), p.path)
                for p in projects
            ],
        )
    else:
        typer.echo("No projects yet: hub discover shows repositories, hub add PATH makes a project.", err=True)
    raise typer.Exit(status)


def stats(
    projects: Annotated[
        list[str] | None, typer.Argument(metavar="[PROJECT]...", help="None: all that run.", autocompletion=complete_project)
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Show what containers use.

    CPU counts 100 per core, memory is without the page cache.
    """
    named = [project_named(slug) for slug in projects or ()]
    found = [(project, get_stats(project=project)) for project in named] if named else _stats_of_running()
    if as_json:
        print_json([{"project": project.slug, **asdict(measured)} for project, measured in found])
        return
    columns = ["PROJECT", "STATUS", "CPU %", "MEMORY MB", "LIMIT MB", "MEMORY %", "DISK %", "PIDS", "NET IN MB", "NET OUT MB", "AGE H"]
    print_table(columns, [_stats_row(project, measured) for project, measured in found], numbers=columns[2:])


def logs(
    project: ProjectArgument,
    tail: Annotated[int, typer.Option(min=0, help="So many last lines.")] = 200,
) -> None:
    """Print what the container itself wrote.

    That is its init; the output of commands is not in it.
    """
    sys.stdout.buffer.write(container_logs(project=project_named(project), tail=tail))


def ago(then: datetime | None) -> str:
    """How long ago, in its largest unit."""
    if then is None:
        return "never"
    seconds = max(0, int((timezone.now() - then).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def _row(project: Project) -> dict[str, object]:
    return {
        "project": project.slug,
        "name": project.name,
        "path": project.path,
        "status": project.status,
        "status_at": project.status_at.isoformat(),
        "health": project.health,
        "health_at": project.health_at.isoformat(),
        "wanted": project.wanted,
        "pending_action": project.pending_action,
        "container_id": project.docker_id[:12] or None,
    }


def _stats_of_running() -> list[tuple[Project, Stats]]:
    found = []
    for project in Project.objects.filter(status=Status.RUNNING):
        try:
            found.append((project, get_stats(project=project)))
        except ContainerNotRunning:
            continue  # it stopped since it was seen; nobody asked for it by name
    return found


def _stats_row(project: Project, measured: Stats) -> list[object]:
    numbers = (
        measured.cpu_percent,
        measured.memory_usage_mb,
        measured.memory_limit_mb,
        measured.memory_percent,
        measured.disk_usage_percent,
        measured.pids,
        measured.network_rx_mb,
        measured.network_tx_mb,
        measured.age_hours,
    )
    return [project.slug, measured.status, *("-" if n is None else f"{n:.1f}" if isinstance(n, float) else n for n in numbers)]
