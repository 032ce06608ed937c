"""`hub ps`, `hub stats`: looking, without changing anything that anyone asked for."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text

from projects.cli.frame import (
    OK,
    UNREACHABLE,
    JsonOption,
    actor,
    complain,
    complete_project,
    print_json,
    print_table,
    printable,
    project_named,
    table_of,
)
from projects.cli.live import on_terminal, redraw
from projects.cli.times import size, span
from projects.engine.errors import EngineUnreachable
from projects.models import Project
from projects.services.errors import ContainerNotRunning
from projects.services.fleet import FleetRow, look_at_fleet, stats_of_fleet
from projects.services.reconcile import reconcile
from projects.services.usage import Stats, get_stats
from projects.states import Health, Status

COLUMNS = ["PROJECT", "STATUS", "HEALTH", "AGE", "MEMORY / LIMIT", "BUSY", "OWNERS"]
LONG_COLUMNS = ["WANTED", "CONTAINER", "SEEN", "WORKSPACE"]
STATS_COLUMNS = ["PROJECT", "STATUS", "CPU %", "MEMORY / LIMIT", "MEMORY %", "DISK %", "NET IN / OUT", "PIDS", "AGE H"]
FILTERS = ("status", "health", "busy", "owner")
VALUES: dict[str, list[str]] = {"status": [*Status], "health": [*Health], "busy": ["true", "false"]}
MB = 1024**2


def ps(
    filters: Annotated[
        list[str] | None, typer.Option("--filter", "-f", metavar="KEY=VALUE", help="status=, health=, busy= or owner=; may be repeated.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Names only, one a line.")] = False,
    long: Annotated[bool, typer.Option("--long", "-l", help="More columns: wanted, container, seen, workspace.")] = False,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Draw it anew each 2 s, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the projects and what is seen of their containers now."""
    wished = _filters(filters or ())
    if sum((quiet, watch, as_json)) > 1:
        raise typer.BadParameter("choose one of --quiet, --watch and --json")
    if watch and not on_terminal():
        raise typer.BadParameter("--watch needs a terminal; leave it out, or take --json")
    if watch:
        redraw(lambda: _drawn(wished, long))
    rows, why = _seen(wished)
    status = complain(why, UNREACHABLE) if why else OK
    if as_json:
        print_json([_json_row(row) for row in rows])
    elif quiet:
        for row in rows:
            typer.echo(row.project.slug)
    elif rows or wished:
        print_table(_columns(long), [_cells(row, long) for row in rows])
    else:
        typer.echo("No projects yet: hub discover shows repositories, hub add PATH makes a project.", err=True)
    raise typer.Exit(status)


def stats(
    projects: Annotated[
        list[str] | None, typer.Argument(metavar="[PROJECT]...", help="None: all that run.", autocompletion=complete_project)
    ] = None,
    no_stream: Annotated[bool, typer.Option("--no-stream", help="Once, also on a terminal.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what containers use: live on a terminal, until Ctrl-C.

    CPU counts 100 per core, memory is without the page cache.
    """
    named = [project_named(slug) for slug in projects or ()]
    if on_terminal() and not (no_stream or as_json):
        redraw(lambda: _stats_table(_stats_now(named)))
    found = [(project, get_stats(project=project)) for project in named] if named else _stats_of_running()
    if as_json:
        print_json([{"project": project.slug, **asdict(measured)} for project, measured in found])
    else:
        print_table(STATS_COLUMNS, [_stats_cells(project, measured) for project, measured in found], numbers=STATS_COLUMNS[2:])


# -- ps -------------------------------------------------------------------------------------


def _seen(wished: dict[str, set[str]]) -> tuple[list[FleetRow], str]:
    """The rows, and why the Engine could not be asked, if so: what was seen last is shown all the same, as unknown."""
    try:
        reconcile(actor=actor())
    except EngineUnreachable as error:
        return _filtered(look_at_fleet(ask_engine=False), wished), str(error)
    return _filtered(look_at_fleet(), wished), ""


def _drawn(wished: dict[str, set[str]], long: bool) -> RenderableType:
    rows, why = _seen(wished)
    table = table_of(_columns(long), [_cells(row, long) for row in rows])
    return Group(table, Text(f"hub: {printable(why)}", style="red")) if why else table


def _filters(words: Iterable[str]) -> dict[str, set[str]]:
    """Values of one key are alternatives, keys restrict one another, as in `docker ps`. Raises BadParameter."""
    wished: dict[str, set[str]] = {}
    for word in words:
        key, sign, value = word.partition("=")
        if not sign or key not in FILTERS:
            raise typer.BadParameter(f"{word[:40]!r} is no filter; write one of {', '.join(f'{name}=' for name in FILTERS)}")
        if value not in VALUES.get(key, [value]):
            raise typer.BadParameter(f"{value[:40]!r} is no {key}; choose one of {', '.join(VALUES[key])}")
        wished.setdefault(key, set()).add(value)
    return wished


def _filtered(rows: Iterable[FleetRow], wished: dict[str, set[str]]) -> list[FleetRow]:
    def fits(row: FleetRow) -> bool:
        has = {"status": {row.project.status}, "health": {row.project.health}, "busy": {str(bool(row.commands)).lower()}}
        return all(values & has.get(key, set(row.owners)) for key, values in wished.items())

    return [row for row in rows if fits(row)]


def _columns(long: bool) -> list[str]:
    return COLUMNS + (LONG_COLUMNS if long else [])


def _cells(row: FleetRow, long: bool) -> list[object]:
    project = row.project
    doing = f" ({project.pending_action} under way)" if project.pending_action else ""
    busy = f"{row.commands} command{'s' if row.commands > 1 else ''}" if row.commands else "-"
    cells: list[object] = [
        project.slug,
        f"{row.status_words}{doing}",
        project.health if project.health != Health.NONE else "-",
        span(row.created_at),
        f"{size(row.memory_bytes)} / {size(row.memory_limit_bytes)}",
        busy,
        ", ".join(row.owners) or "-",
    ]
    if long:
        cells += [project.wanted, project.docker_id[:12] or "-", f"{span(project.status_at)} ago", project.path]
    return cells


def _json_row(row: FleetRow) -> dict[str, object]:
    project = row.project
    return {
        "project": project.slug,
        "name": project.name,
        "path": project.path,
        "status": project.status,
        "status_at": project.status_at.isoformat(),
        "exit_code": row.exit_code,
        "reason": row.reason or None,
        "health": project.health,
        "health_at": project.health_at.isoformat(),
        "wanted": project.wanted,
        "pending_action": project.pending_action,
        "container_id": project.docker_id[:12] or None,
        "created_at": row.created_at.isoformat() if row.created_at else None,
        "memory_usage_mb": None if row.memory_bytes is None else round(row.memory_bytes / MB, 2),
        "memory_limit_mb": project.memory_limit_mb,
        "busy": bool(row.commands),
        "running_commands": row.commands,
        "owners": list(row.owners),
    }


# -- stats ----------------------------------------------------------------------------------


def _stats_of_running() -> list[tuple[Project, Stats]]:
    found = []
    for project in Project.objects.filter(status=Status.RUNNING):
        try:
            found.append((project, get_stats(project=project)))
        except ContainerNotRunning:
            continue  # it stopped since it was seen; nobody asked for it by name
    return found


def _stats_now(named: list[Project]) -> list[tuple[Project, Stats | None]]:
    """Of those named, also while they do not run; else of all that run."""
    found = stats_of_fleet(named or list(Project.objects.all()))
    return found if named else [(project, measured) for project, measured in found if measured is not None]


def _stats_table(found: list[tuple[Project, Stats | None]]) -> RenderableType:
    return table_of(STATS_COLUMNS, [_stats_cells(project, measured) for project, measured in found], numbers=STATS_COLUMNS[2:])


def _stats_cells(project: Project, measured: Stats | None) -> list[object]:
    if measured is None:
        return [project.slug, "not running", *["-"] * 7]
    return [
        project.slug,
        measured.status,
        _number(measured.cpu_percent),
        f"{_mb(measured.memory_usage_mb)} / {_mb(measured.memory_limit_mb)}",
        _number(measured.memory_percent),
        _number(measured.disk_usage_percent),
        f"{_mb(measured.network_rx_mb)} / {_mb(measured.network_tx_mb)}",
        measured.pids,
        _number(measured.age_hours),
    ]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _mb(value: float | None) -> str:
    return size(None if value is None else value * MB)
