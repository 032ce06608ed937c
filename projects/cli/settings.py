"""`hub set`: a project's settings, seen and changed."""

from typing import Annotated, Any

import typer

from projects.cli.frame import JsonOption, ProjectArgument, actor, print_json, print_table, project_named
from projects.models import Project
from projects.services.catalog import SETTINGS, update_project
from projects.services.errors import BadInput

HUBS_OWN = "hub"
"""Written for a threshold: the hub's own."""
_SHOWN = sorted(SETTINGS - {"environment"})
_Own = f"a number, or {HUBS_OWN} for the hub's own."


def settings(
    project: ProjectArgument,
    mode: Annotated[str | None, typer.Option(help=f"Refresh by itself: act, suggest, off, or {HUBS_OWN} for the hub's own.")] = None,
    age_hours: Annotated[str | None, typer.Option(metavar="HOURS", help=f"Refresh at this age: {_Own}")] = None,
    memory_percent: Annotated[str | None, typer.Option(metavar="PERCENT", help=f"Refresh above this share of its memory: {_Own}")] = None,
    disk_percent: Annotated[str | None, typer.Option(metavar="PERCENT", help=f"Refresh above this share of its disk: {_Own}")] = None,
    quiet_hours: Annotated[
        str | None, typer.Option(metavar="HH:MM-HH:MM", help="Refresh for age, memory and disk only then, in UTC; empty for at any time.")
    ] = None,
    hard_limit_hours: Annotated[
        str | None, typer.Option(metavar="HOURS", help="Refresh so long after it fell due although busy: a number, or never.")
    ] = None,
    pinned: Annotated[bool | None, typer.Option("--pinned/--no-pinned", help="Never refresh by itself.")] = None,
    name: Annotated[str | None, typer.Option(help="For people; the slug stays.")] = None,
    image: Annotated[str | None, typer.Option(help="Empty for the base image.")] = None,
    cpus: Annotated[float | None, typer.Option(help="Cores.")] = None,
    memory_mb: Annotated[int | None, typer.Option(help="Memory limit.")] = None,
    pids: Annotated[int | None, typer.Option(help="The most processes.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Change a project's settings, or show them.

    A container takes limits and image over at its next refresh; when it is refreshed by itself counts from now on.
    """
    found = project_named(project)
    wished: dict[str, Any] = {
        "refresh_mode": "" if mode == HUBS_OWN else mode,
        "refresh_quiet_hours": quiet_hours,
        "pinned": pinned,
        "name": name,
        "image": image,
        "cpu_limit": cpus,
        "memory_limit_mb": memory_mb,
        "pids_limit": pids,
    }
    wished = {key: value for key, value in wished.items() if value is not None}
    thresholds = {
        "refresh_age_hours": age_hours,
        "refresh_memory_percent": memory_percent,
        "refresh_disk_percent": disk_percent,
        "refresh_hard_limit_hours": hard_limit_hours,
    }
    wished |= {key: _number(key, text) for key, text in thresholds.items() if text is not None}
    if wished:
        found = update_project(project=found, actor=actor(), **wished)
    _show(found, as_json)


def _number(key: str, text: str) -> float | None:
    """None for the hub's own. Raises BadInput."""
    if text.strip().lower() in (HUBS_OWN, "never", ""):
        return None
    try:
        return float(text)
    except ValueError:
        raise BadInput(f"{key} must be a number; write {HUBS_OWN} for the hub's own.") from None


def _show(project: Project, as_json: bool) -> None:
    values = {key: getattr(project, key) for key in _SHOWN}
    if as_json:
        print_json({"project": project.slug, **values})
    else:
        print_table(["SETTING", "VALUE"], [(key, _words(key, value)) for key, value in values.items()])


def _words(key: str, value: object) -> object:
    if value is None or (key == "refresh_mode" and value == ""):
        return "never" if key == "refresh_hard_limit_hours" else "the hub's own"
    if key == "refresh_quiet_hours" and value == "":
        return "at any time"
    if key == "image" and value == "":
        return "the base image"
    return ("no", "yes")[value] if isinstance(value, bool) else value
