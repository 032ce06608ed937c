"""Runs whose reader died: found by the free lock, ended as "interrupted" with what the container still knows."""

from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import Engine
from projects.engine.errors import EngineError, NoSuchObject, WrongState
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands.leader import Remains, remains_of
from projects.services.commands.mending import mend_spool
from projects.services.commands.settle import KILL_FAILED, end_tree, quoted, settle
from projects.services.engines import current_engine
from projects.services.record import HUB, record
from projects.services.spec import container_name
from projects.states import RunState

_INTERRUPTED = "The hub's process that read this command ended before it did: what was printed after that is lost"
_OVERDUE_BY = "timeout"

log = structlog.get_logger(__name__)


def is_over(run: CommandRun) -> bool:
    """Whether the run has its end, which its fields then tell; one whose reader died gets it now."""
    if spool.is_live(run):
        return False
    run.refresh_from_db()
    if run.state == RunState.RUNNING:  # the reader writes the end before it frees the lock, so this one died
        mark_interrupted()
        run.refresh_from_db()
    return bool(run.state != RunState.RUNNING)


def mark_interrupted() -> int:
    """End every run that is "running" without a reader; how many. Repeatable; call it at start and now and then.

    A run whose Engine cannot be reached waits for the next call. An interrupted or lost command that ran on gets its exit
    code when it ends; what it left running past its timeout is killed.
    """
    marked = 0
    for run in CommandRun.objects.filter(state=RunState.RUNNING).select_related("project", "container"):
        try:
            marked += _mark(run, current_engine())
        except EngineError as error:
            log.warning("run.not_marked_yet", run=str(run.id), error=str(error))
    for run in _unwatched():
        try:
            _look_again(run, current_engine())
        except EngineError as error:
            log.warning("run.not_looked_at_again_yet", run=str(run.id), error=str(error))
    return marked


def ref_of(run: CommandRun) -> str:
    """The container that the run was started in; by the project's name where its row is not known."""
    return run.container.docker_id if run.container else container_name(run.project, settings.CONTAINERHUB)


def _mark(run: CommandRun, engine: Engine) -> bool:
    with spool.orphaned(run) as mine:
        if not mine:
            return False
        run.refresh_from_db()
        if run.state != RunState.RUNNING:
            return False
        mend_spool(run)
        remains = _look(engine, run) or Remains()
        if remains.alive and run.kill_requested:
            ended = end_tree(engine, ref_of(run), run)
            message = f"It was killed by {run.kill_requested_by}; the hub's process that read it had ended."
            return settle(run, RunState.KILLED if ended else RunState.KILL_FAILED, message=message if ended else f"{message} {KILL_FAILED}")
        doubt = "; it was still running when the hub looked, so kill it if it is not wanted" if remains.alive else ""
        return settle(run, RunState.INTERRUPTED, exit_code=remains.exit_code, message=f"{_INTERRUPTED}{doubt}.")


def _look(engine: Engine, run: CommandRun) -> Remains | None:
    """A container that is gone or stopped knows nothing any more; None when one that runs gave no answer."""
    try:
        return remains_of(engine, ref_of(run), run)
    except (NoSuchObject, WrongState):
        return Remains()


def _unwatched() -> list[CommandRun]:
    """Ended without an exit code, recently, and never killed: they may still run."""
    return list(
        CommandRun.objects.filter(
            state__in=(RunState.CONNECTION_LOST, RunState.INTERRUPTED),
            exit_code__isnull=True,
            kill_requested=False,
            started_at__gt=timezone.now() - timedelta(days=8),
        ).select_related("project", "container")
    )


def _look_again(run: CommandRun, engine: Engine) -> None:
    remains = _look(engine, run)
    if remains is None:
        return
    if not remains.alive:
        _note_end(run, remains)
    elif run.started_at + timedelta(seconds=run.timeout_seconds) < timezone.now():
        _end_overdue(run, engine)


def _note_end(run: CommandRun, remains: Remains) -> None:
    """It ran on, and has ended by itself: with the code of the leader's file, or with one that nobody knows."""
    code = remains.exit_code
    how = f"with exit code {code}" if code is not None else "and left no exit code"
    with transaction.atomic():
        waiting = CommandRun.objects.filter(pk=run.pk, kill_requested=False, exit_code__isnull=True)
        # Without a code, `kill_requested` keeps it from being looked for again.
        noted = waiting.update(exit_code=code, kill_requested=code is None, message=f"{_without_doubt(run.message)} It ended {how}.")
        if noted:
            words = f"The command {quoted(run)}, which was lost from sight, has ended {how}."
            record("run.end_found", actor=HUB, project=run.project, message=words, run=str(run.id), exit_code=code)


def _without_doubt(message: str) -> str:
    """What was said of its running on is true no more."""
    return f"{message.partition(';')[0].rstrip('.')}."


def _end_overdue(run: CommandRun, engine: Engine) -> None:
    ended = end_tree(engine, ref_of(run), run)
    left = f"It passed its timeout of {run.timeout_seconds} seconds, so what was left of it was killed." if ended else KILL_FAILED
    with transaction.atomic():
        waiting = CommandRun.objects.filter(pk=run.pk, kill_requested=False)
        settled = waiting.update(kill_requested=True, kill_requested_by=_OVERDUE_BY, message=f"{_without_doubt(run.message)} {left}")
        if settled:
            words = f"The command {quoted(run)} passed its timeout unseen and was {'killed' if ended else 'not killed for sure'}."
            record("run.rest_killed", actor=HUB, project=run.project, message=words, run=str(run.id), ended=ended)
