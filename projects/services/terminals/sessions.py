"""The sessions of a project: listed, made, renamed, closed, each with its row."""

import re
from dataclasses import dataclass

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import Engine, ExecSpec
from projects.models import Project, TerminalSession
from projects.models.terminal import SESSION_PATTERN
from projects.services.commands.start import running_container
from projects.services.credentials.lent import exec_environment
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Busy, ContainerNotRunning, NotFound, Taken
from projects.services.record import HUB, Actor, record
from projects.services.spec import WORKSPACE, container_name
from projects.services.terminals import tmux

SESSIONS_LIMIT = 30
_START_SECONDS = 10
_NO_TMUX = "This container has no tmux server, so it has no named terminals; refresh the container, or use an image with tmux."


@dataclass(frozen=True)
class Place:
    """Where a terminal is to be: the running container, and its sessions (None without tmux)."""

    engine: Engine
    ref: str
    names: set[str] | None


def checked_session_name(name: str) -> str:
    """Raises BadInput."""
    if not isinstance(name, str) or not re.fullmatch(SESSION_PATTERN.removesuffix("$"), name):
        raise BadInput("Name a terminal with 1 to 32 letters, digits, underscores and hyphens, for example main.")
    return name


def place_of(project: Project) -> Place:
    """Raises ContainerNotRunning, ForeignContainer, EngineError."""
    engine = current_engine()
    info = running_container(engine, project)
    return Place(engine, info.docker_id, tmux.sessions(engine, info.docker_id))


def list_sessions(*, project: Project) -> list[TerminalSession]:
    """The open sessions by name; none while the container does not run. Raises EngineError."""
    try:
        names = place_of(project).names or set()
    except ContainerNotRunning:
        names = set()
    compare(project, names)
    return list(TerminalSession.objects.filter(project=project, closed_at__isnull=True))


def compare(project: Project, names: set[str]) -> None:
    """Rows as the sessions are: one that ended is closed, one that somebody made inside the container gets its row."""
    with transaction.atomic():
        rows = TerminalSession.objects.select_for_update().filter(project=project, closed_at__isnull=True)
        known = set(rows.values_list("name", flat=True))
        for name in sorted(known - names):
            rows.filter(name=name).update(closed_at=timezone.now())
            record("terminal.closed", actor=HUB, project=project, message=f"The terminal {name} has ended.", session=name)
        for name in sorted(found for found in names - known if re.fullmatch(SESSION_PATTERN, found)):
            TerminalSession.objects.create(project=project, name=name, created_by_name="the container")


def make_session(*, project: Project, name: str, actor: Actor) -> TerminalSession:
    """A new session with a shell in the workspace. Raises BadInput, Taken, Busy, ContainerNotRunning, EngineError."""
    name = checked_session_name(name)
    place = place_of(project)
    if place.names is None:
        raise ContainerNotRunning(_NO_TMUX)
    if name in place.names:
        raise Taken(f"There is a terminal {name} already; choose another name.")
    demand_room(place)
    _make(project, place, name)
    return save_opened(project, name, actor)


def demand_room(place: Place) -> None:
    """Raises Busy."""
    if len(place.names or ()) >= SESSIONS_LIMIT:
        raise Busy(f"A project has at most {SESSIONS_LIMIT} terminals; close one first.")


def _make(project: Project, place: Place, name: str) -> None:
    environment = exec_environment(project)
    command = (*tmux.TMUX, *tmux.lending(environment), ";", "new-session", "-d", "-s", name, "-c", WORKSPACE)
    spec = ExecSpec(command=command, environment={**environment, "COLORTERM": "truecolor"})
    outcome = place.engine.execs.run(place.ref, spec, sink=lambda _stream, _data: None, timeout_seconds=_START_SECONDS)
    if outcome.exit_code != 0 and name not in (tmux.sessions(place.engine, place.ref) or set()):
        raise ContainerNotRunning("The terminal could not be started in the container; look at its logs, or restart it.")


def save_opened(project: Project, name: str, actor: Actor) -> TerminalSession:
    """The row of an open session, and its event if it is new."""
    with transaction.atomic():
        row, made = TerminalSession.objects.get_or_create(
            project=project, name=name, closed_at=None, defaults={"created_by_name": actor.name}
        )
        if made:
            record("terminal.opened", actor=actor, project=project, message=f"The terminal {name} was opened.", session=name)
    return row


def rename_session(*, project: Project, name: str, new_name: str, actor: Actor) -> TerminalSession:
    """Raises BadInput, NotFound, Taken, ContainerNotRunning, EngineError."""
    name, new_name = checked_session_name(name), checked_session_name(new_name)
    place = place_of(project)
    _demand_session(place, name)
    if new_name in (place.names or set()):
        raise Taken(f"There is a terminal {new_name} already; choose another name.")
    if tmux.tmux(place.engine, place.ref, "rename-session", "-t", tmux.target(name), new_name).exit_code != 0:
        raise NotFound(f"The terminal {name} has ended; look at the list of terminals.")
    save_opened(project, name, actor)
    with transaction.atomic():
        rows = TerminalSession.objects.filter(project=project, closed_at__isnull=True)
        rows.filter(name=name).update(name=new_name)
        message = f"The terminal {name} was renamed to {new_name}."
        record("terminal.renamed", actor=actor, project=project, message=message, session=new_name, before=name)
    return rows.get(name=new_name)


def close_session(*, project: Project, name: str, actor: Actor) -> None:
    """End the session and its shell. Raises BadInput, NotFound, ContainerNotRunning, EngineError."""
    name = checked_session_name(name)
    place = place_of(project)
    _demand_session(place, name)
    tmux.tmux(place.engine, place.ref, "kill-session", "-t", tmux.target(name))
    with transaction.atomic():
        open_rows = TerminalSession.objects.filter(project=project, name=name, closed_at__isnull=True)
        open_rows.update(closed_at=timezone.now())
        record("terminal.closed", actor=actor, project=project, message=f"The terminal {name} was closed.", session=name)


def _demand_session(place: Place, name: str) -> None:
    if name not in (place.names or set()):
        raise NotFound(f"There is no terminal {name}; look at the list of terminals.")


def note_use(*, project: Project, name: str, typed: bool) -> None:
    """When it was last typed into, or last printed."""
    rows = TerminalSession.objects.filter(project=project, name=name, closed_at__isnull=True)
    now = timezone.now()
    if typed:
        rows.update(last_input_at=now)
    else:
        rows.update(last_output_at=now)


def name_of_container(project: Project) -> str:
    return container_name(project, settings.CONTAINERHUB)
