"""Sessions carried over from a container to the one that takes its place: the same names, where they stood.

Before a refresh each open row notes the container that its session goes with. Whoever first looks into the next one opens
them there again, be it the refresh itself, the watcher or a viewer: so nothing is lost to a process that dies in between.
"""

from dataclasses import dataclass, replace

import structlog
from django.db import transaction
from django.db.models import QuerySet

from projects.engine.base import ContainerInfo, Engine, ExecSpec
from projects.engine.errors import EngineError
from projects.models import Project, TerminalSession
from projects.services.asking import ask
from projects.services.credentials.lent import exec_environment
from projects.services.errors import ContainerNotRunning
from projects.services.record import HUB, record
from projects.services.spec import WORKSPACE
from projects.services.terminals import tmux
from projects.services.terminals.rows import compare

SESSIONS_LIMIT = 30
PATH_LENGTH = 1000
_START_SECONDS = 10

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Place:
    """Where a terminal is to be: the running container, and its sessions (None without tmux)."""

    engine: Engine
    ref: str
    names: set[str] | None


def start_session(project: Project, place: Place, name: str, workdir: str = WORKSPACE) -> None:
    """Quiet when another was faster. Raises ContainerNotRunning, EngineError."""
    environment = exec_environment(project)
    command = (*tmux.TMUX, *tmux.lending(environment), ";", "new-session", "-d", "-s", name, "-c", workdir)
    spec = ExecSpec(command=command, environment={**environment, "COLORTERM": "truecolor"})
    outcome = place.engine.execs.run(place.ref, spec, sink=lambda _stream, _data: None, timeout_seconds=_START_SECONDS)
    if outcome.exit_code != 0 and name not in (tmux.sessions(place.engine, place.ref) or set()):
        raise ContainerNotRunning("The terminal could not be started in the container; look at its logs, or restart it.")


def leave(project: Project, engine: Engine, info: ContainerInfo | None) -> None:
    """The container `info` (None: it is gone already) is about to go: its sessions are to be there in the next one.

    A container that cannot be asked any more does not stop this: what the rows say is carried over.
    """
    places: dict[str, str] | None = None
    if info is not None and info.running:
        try:
            places = tmux.places(engine, info.docker_id)
        except EngineError as error:
            log.warning("terminal.places_unknown", project=project.slug, error=str(error), cause=repr(error.__cause__))
    if places is not None:
        compare(project, set(places))
    rows = TerminalSession.objects.filter(project=project, closed_at__isnull=True)
    with transaction.atomic():
        rows.update(left_docker_id=info.docker_id if info else "gone")
        for name, path in (places or {}).items():
            rows.filter(name=name).update(workdir=path)


def waiting(project: Project) -> bool:
    return _waiting(project).exists()


def carry_over(project: Project, place: Place) -> Place:
    """The place with the sessions that wait to be opened again in it; as it was where none waits, or where no tmux runs.

    Raises ContainerNotRunning, EngineError.
    """
    rows = _waiting(project).exclude(left_docker_id=place.ref)
    if place.names is None or not rows.exists():
        return place
    opened = []
    for row in rows[:SESSIONS_LIMIT]:
        if row.name not in place.names:
            start_session(project, place, row.name, _workdir(place, row.workdir))
        opened.append(row.name)
    with transaction.atomic():
        if _waiting(project).filter(name__in=opened).update(left_docker_id=""):
            names = ", ".join(opened)
            message = f"Opened again in the new container: the terminal{'s' if len(opened) > 1 else ''} {names}."
            record("terminal.reopened", actor=HUB, project=project, message=message, sessions=opened, docker_id=place.ref)
    return replace(place, names=place.names | set(opened))


def give_up(project: Project) -> None:
    """No tmux came to run in the new container: its rows are closed when somebody next looks."""
    _waiting(project).update(left_docker_id="")


def _waiting(project: Project) -> QuerySet[TerminalSession]:
    return TerminalSession.objects.filter(project=project, closed_at__isnull=True).exclude(left_docker_id="")


def _workdir(place: Place, path: str) -> str:
    """Where it stood, if that is there too. A sign of tmux's formats in it would be read as one."""
    if not path.startswith("/") or "#" in path or path == WORKSPACE or len(path) > PATH_LENGTH:
        return WORKSPACE
    return path if ask(place.engine, place.ref, ("test", "-d", path)).exit_code == 0 else WORKSPACE
