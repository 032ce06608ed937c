"""The sessions of a project: listed, made, renamed, closed, each with its row."""

import re
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.errors import EngineError
from projects.models import Project, TerminalSession
from projects.models.terminal import SESSION_PATTERN
from projects.services.commands.start import running_container
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Busy, ContainerNotRunning, HubError, NotFound, Taken
from projects.services.record import Actor, record
from projects.services.spec import container_name
from projects.services.terminals import tmux
from projects.services.terminals.carrying import SESSIONS_LIMIT, Place, carry_over, give_up, start_session, waiting
from projects.services.terminals.rows import compare, save_opened

YOUNG = timedelta(seconds=10)
YOUNG_SECONDS = 5
"""How long the tmux server of a container that was started this moment is waited for."""
_NO_TMUX = "This container has no tmux server, so it has no named terminals; refresh the container, or use an image with tmux."

log = structlog.get_logger(__name__)


def checked_session_name(name: str) -> str:
    """Raises BadInput."""
    if not isinstance(name, str) or not re.fullmatch(SESSION_PATTERN.removesuffix("$"), name):
        raise BadInput("Name a terminal with 1 to 32 letters, digits, underscores and hyphens, for example main.")
    return name


def place_of(project: Project) -> Place:
    """Sessions that wait since a refresh are there. Raises ContainerNotRunning, ForeignContainer, EngineError."""
    engine = current_engine()
    info = running_container(engine, project)
    young = info.started_at is not None and abs(timezone.now() - info.started_at) < YOUNG
    names = tmux.soon(engine, info.docker_id, seconds=YOUNG_SECONDS if young else 0)
    return carry_over(project, Place(engine, info.docker_id, names))


def list_sessions(*, project: Project) -> list[TerminalSession]:
    """The open sessions by name; none while the container does not run. Raises EngineError."""
    try:
        names = place_of(project).names or set()
    except ContainerNotRunning:
        names = set()
    compare(project, names)
    return list(TerminalSession.objects.filter(project=project, closed_at__isnull=True))


def make_session(*, project: Project, name: str, actor: Actor) -> TerminalSession:
    """A new session with a shell in the workspace. Raises BadInput, Taken, Busy, ContainerNotRunning, EngineError."""
    name = checked_session_name(name)
    place = place_of(project)
    if place.names is None:
        raise ContainerNotRunning(_NO_TMUX)
    if name in place.names:
        raise Taken(f"There is a terminal {name} already; choose another name.")
    demand_room(place)
    start_session(project, place, name)
    return save_opened(project, name, actor)


def demand_room(place: Place) -> None:
    """Raises Busy."""
    if len(place.names or ()) >= SESSIONS_LIMIT:
        raise Busy(f"A project has at most {SESSIONS_LIMIT} terminals; close one first.")


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


def session_history(*, project: Project, name: str) -> str:
    """All that the terminal keeps: what scrolled off its screen, oldest first, and the screen.

    Raises BadInput, NotFound, ContainerNotRunning, EngineError."""
    name = checked_session_name(name)
    place = place_of(project)
    _demand_session(place, name)
    shown = tmux.history(place.engine, place.ref, name)
    if shown is None:
        raise NotFound(f"The terminal {name} has ended, or its container is too busy to tell; look at the list of terminals.")
    return shown.decode(errors="replace").rstrip() + "\n"


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


def reopen(*, project: Project) -> bool:
    """Open the sessions that wait since a refresh, if any; whether none waits any more. Repeatable; what fails is tried again later."""
    if not waiting(project):
        return True
    try:
        place_of(project)
    except (HubError, EngineError) as error:
        log.warning("terminal.not_reopened_yet", project=project.slug, error=str(error), cause=repr(error.__cause__))
    return not waiting(project)


def settle(*, project: Project) -> None:
    """The last try, for a container that has proven itself."""
    if not reopen(project=project):
        give_up(project)


def name_of_container(project: Project) -> str:
    return container_name(project, settings.CONTAINERHUB)
