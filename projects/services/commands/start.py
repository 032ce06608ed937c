"""Starting a command: the row first, then the exec, read here or in a thread of this process."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

import structlog
from django.conf import settings
from django.db import connection, connections, transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, Engine
from projects.engine.errors import EngineError
from projects.models import CommandRun, Container, Instance, Project
from projects.services import spool
from projects.services.asking import ask
from projects.services.claims import STALE_SECONDS
from projects.services.commands.leader import is_safe_workdir
from projects.services.commands.reader import Reader
from projects.services.commands.settle import quoted
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Busy, ContainerNotRunning
from projects.services.ours import demand_ours
from projects.services.record import HUB, Actor, record
from projects.services.spec import WORKSPACE, container_name
from projects.states import Action, RunState

MOST_COMMAND_BYTES = 100_000
MOST_SECONDS = int(timedelta(days=7).total_seconds())
SETUP_SCRIPT = ".containerhub/setup.sh"
SETUP_SECONDS = 3600
ENDING = (Action.STOP, Action.RESTART, Action.REFRESH, Action.REMOVE)

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class CommandResult:
    """How a command ended. Of output past the answer's limit (10 MB) the tail is kept, and `truncated` says so."""

    id: UUID
    exit_code: int | None
    stdout: bytes
    stderr: bytes
    timed_out: bool
    truncated: bool
    duration_seconds: float
    state: RunState
    message: str


@dataclass(frozen=True)
class _Order:
    """What to run; checked."""

    command: str
    workdir: str
    timeout_seconds: int
    purpose: str = "command"


class _SetupTaken(Exception):
    """Another caller has started this container's setup meanwhile."""


def run_command(
    *,
    project: Project,
    actor: Actor,
    command: str,
    workdir: str = WORKSPACE,
    timeout_seconds: int | None = None,
    on_start: Callable[[CommandRun], object] | None = None,
) -> CommandResult:
    """Run a shell command to its end; `on_start` is told its row before the first byte.

    Raises BadInput, Busy, ContainerNotRunning, ForeignContainer, EngineError.
    """
    reader, run = _begin(project, actor, checked_order(command, workdir, timeout_seconds))
    if on_start is not None:
        on_start(run)
    reader.read()
    return result_of(run)


def start_command(
    *, project: Project, actor: Actor, command: str, workdir: str = WORKSPACE, timeout_seconds: int | None = None
) -> CommandRun:
    """Start a shell command and answer at once; a thread of this process reads it. Raises as `run_command`."""
    reader, run = _begin(project, actor, checked_order(command, workdir, timeout_seconds))
    return _read_in_background(reader, run)


def run_setup(project: Project, container: Container) -> CommandRun | None:
    """Start the project's own setup script in its new container, if there is one, and note that it was. Not waited for.

    Raises ContainerNotRunning, EngineError; asked again for the same container it does nothing.
    """
    container.refresh_from_db()
    if container.setup_done:
        return None
    engine = current_engine()
    found = ask(engine, container.docker_id, ("test", "-f", f"{WORKSPACE}/{SETUP_SCRIPT}"))
    if found.exit_code not in (0, 1):
        raise ContainerNotRunning("The container gave no answer about its setup script; run ensure again.")
    if found.exit_code == 1:
        Container.objects.filter(pk=container.pk).update(setup_done=True)
        return None
    order = _Order(f"bash {SETUP_SCRIPT}", WORKSPACE, SETUP_SECONDS, purpose="setup")
    try:
        reader, run = _begin(project, HUB, order, setup_of=container)
    except _SetupTaken:
        return None
    return _read_in_background(reader, run)


def result_of(run: CommandRun) -> CommandResult:
    """The answer for a run that has ended (or stands where it stands)."""
    output = spool.tail(run)
    return CommandResult(
        id=run.id,
        exit_code=run.exit_code,
        stdout=output.stdout,
        stderr=output.stderr,
        timed_out=run.state == RunState.TIMED_OUT,
        truncated=output.truncated,
        duration_seconds=round(run.duration_seconds or 0.0, 3),
        state=RunState(run.state),
        message=run.message,
    )


def checked_order(command: str, workdir: str, timeout_seconds: int | None) -> _Order:
    """Raises BadInput."""
    seconds = settings.CONTAINERHUB.run_timeout_seconds if timeout_seconds is None else timeout_seconds
    if not isinstance(command, str) or not command.strip() or "\0" in command:
        raise BadInput("The command is empty or holds a NUL character; write a shell command.")
    if len(command.encode(errors="surrogatepass")) > MOST_COMMAND_BYTES or not _is_text(command):
        raise BadInput("The command is longer than 100 kB, or no valid text; put it into a script in the workspace.")
    if not isinstance(workdir, str) or not _is_text(workdir) or not is_safe_workdir(workdir):
        raise BadInput("The working directory must be an absolute path in the container, not below /proc, /sys or /dev.")
    if isinstance(seconds, bool) or not isinstance(seconds, int) or not 1 <= seconds <= MOST_SECONDS:
        raise BadInput(f"The timeout must be a whole number of seconds from 1 to {MOST_SECONDS} (7 days).")
    return _Order(command, workdir, seconds)


def running_container(engine: Engine, project: Project) -> ContainerInfo:
    """The project's running container, asked of the Engine. Raises ContainerNotRunning, ForeignContainer, EngineError."""
    info = engine.containers.inspect(container_name(project, settings.CONTAINERHUB))
    if info is None or not info.running:
        raise ContainerNotRunning("The project's container is not running; run ensure first.")
    demand_ours(info, project)
    return info


def _is_text(value: str) -> bool:
    """No lone surrogates: they cannot be sent or stored."""
    return value.encode(errors="replace").decode() == value


def _begin(project: Project, actor: Actor, order: _Order, *, setup_of: Container | None = None) -> tuple[Reader, CommandRun]:
    engine = current_engine()
    info = running_container(engine, project)
    run_id = uuid4()
    # The lock before the row: a row "running" whose lock is free is orphaned.
    held = spool.Spool(run_id)
    try:
        run = _save_row(run_id, project, actor, order, setup_of)
        return Reader(run, held, engine, info.docker_id), run
    except BaseException:
        held.close()
        if not CommandRun.objects.filter(pk=run_id).exists():
            spool.path_of(run_id).unlink(missing_ok=True)
        raise


def _save_row(run_id: UUID, project: Project, actor: Actor, order: _Order, setup_of: Container | None) -> CommandRun:
    with transaction.atomic():
        _demand_no_ending(project)
        if setup_of is None:
            _demand_room(project)
        elif not Container.objects.filter(pk=setup_of.pk, setup_done=False).update(setup_done=True):
            raise _SetupTaken
        run = CommandRun.objects.create(
            id=run_id,
            project=project,
            container=Container.objects.filter(project=project, removed_at__isnull=True).order_by("-created_at", "-id").first(),
            command=order.command,
            workdir=order.workdir,
            timeout_seconds=order.timeout_seconds,
            purpose=order.purpose,
            actor=actor.user,
            actor_name=actor.name,
        )
        if setup_of is not None:
            Container.objects.filter(pk=setup_of.pk).update(setup_run=run)
        message = f"The {order.purpose} {quoted(run)} was started."
        record("run.started", actor=actor, project=project, message=message, run=str(run.id), purpose=order.purpose)
    return run


def _demand_no_ending(project: Project) -> None:
    """Raises Busy while the container is about to be stopped: a refresh looks who is busy, then nobody may begin."""
    # The lock lets a claim that comes now wait for this run's row, and see it.
    found = Project.objects.select_for_update().filter(pk=project.pk).first()
    fresh = timezone.now() - timedelta(seconds=STALE_SECONDS)
    if found is not None and found.pending_action in ENDING and found.claimed_at is not None and found.claimed_at > fresh:
        raise Busy(f"A {found.pending_action} of {project.slug} is under way; run the command again when it is done.")


def _demand_room(project: Project) -> None:
    """Raises Busy at the limits. The lock makes counting and saving one step (SQLite's transactions are one by one anyway)."""
    if connection.features.has_select_for_update:
        Instance.objects.select_for_update().filter(pk=1).first()
    running = CommandRun.objects.filter(state=RunState.RUNNING)
    limits = settings.CONTAINERHUB
    if running.filter(project=project).count() >= limits.runs_per_project:
        raise Busy(f"{limits.runs_per_project} commands of this project run already; wait for one to end, or kill one.")
    if running.count() >= limits.runs_in_all:
        raise Busy(f"{limits.runs_in_all} commands run already in all projects; try again when some have ended.")


def _read_in_background(reader: Reader, run: CommandRun) -> CommandRun:
    """A daemon thread: a hub that ends loses the reader, and the next start finds the run by its free lock."""
    threading.Thread(target=_read, args=(reader, run), name=f"run-{run.id.hex[:8]}", daemon=True).start()
    # A row of its own for the caller: the thread goes on changing the other.
    return CommandRun.objects.select_related("project", "container").get(pk=run.pk)


def _read(reader: Reader, run: CommandRun) -> None:
    try:
        reader.read()
    except EngineError as error:
        log.warning("run.not_started", run=str(run.id), error=str(error), cause=repr(error.__cause__))
    except Exception:
        log.exception("run.reading_failed", run=str(run.id))
    finally:
        connections.close_all()
