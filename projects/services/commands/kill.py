"""Killing a run, from any process, whether its reader lives or not."""

import time

from django.db import transaction

from projects.models import CommandRun
from projects.services import spool
from projects.services.commands.recover import ref_of
from projects.services.commands.settle import KILL_FAILED, end_tree, quoted, settle
from projects.services.engines import current_engine
from projects.services.record import Actor, record
from projects.states import RunState

WAIT_SECONDS = 10
_MAY_STILL_RUN = (RunState.CONNECTION_LOST, RunState.INTERRUPTED, RunState.KILL_FAILED)


def kill_command(*, run: CommandRun, actor: Actor) -> CommandRun:
    """End the run's whole tree of processes, and answer its row. Quiet when it has ended already.

    The reader does it within a second; after 10 s of waiting the row is answered as it stands. Where nobody reads any
    more, it is done here. Raises EngineError then.
    """
    run.refresh_from_db()
    if run.state in _MAY_STILL_RUN:
        _kill_what_is_left(run, actor)
    elif run.state == RunState.RUNNING:
        _request(run, actor)
        if not _reader_did_it(run):
            _kill_orphan(run, actor)
    run.refresh_from_db()
    return run


def _request(run: CommandRun, actor: Actor) -> None:
    with transaction.atomic():
        running = CommandRun.objects.filter(pk=run.pk, state=RunState.RUNNING, kill_requested=False)
        if running.update(kill_requested=True, kill_requested_by=actor.name):
            message = f"The command {quoted(run)} was asked to end."
            record("run.kill_requested", actor=actor, project=run.project, message=message, run=str(run.id))


def _reader_did_it(run: CommandRun) -> bool:
    """Wait for the reader; False when there is none."""
    until = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < until:
        live = spool.is_live(run)
        run.refresh_from_db(fields=["state"])
        if run.state != RunState.RUNNING:
            return True
        if not live:
            return False
        time.sleep(0.1)
    return True


def _kill_orphan(run: CommandRun, actor: Actor) -> None:
    with spool.orphaned(run) as mine:
        if not mine:
            return
        ended = _end_tree(run)
        message = f"It was killed by {actor.name}; the hub's process that read it had ended."
        state = RunState.KILLED if ended else RunState.KILL_FAILED
        settle(run, state, message=message if ended else f"{message} {KILL_FAILED}", actor=actor)


def _kill_what_is_left(run: CommandRun, actor: Actor) -> None:
    """The state stays, since it tells what is known of the output; the message and an event tell the rest."""
    ended = _end_tree(run)
    left = f"What was left of it was killed by {actor.name}." if ended else KILL_FAILED
    with transaction.atomic():
        message = run.message if left in run.message else f"{run.message} {left}".strip()
        CommandRun.objects.filter(pk=run.pk).update(message=message, kill_requested=True, kill_requested_by=actor.name)
        words = f"What was left of the command {quoted(run)} was {'killed' if ended else 'not killed for sure'}."
        record("run.rest_killed", actor=actor, project=run.project, message=words, run=str(run.id), ended=ended)


def _end_tree(run: CommandRun) -> bool:
    engine = current_engine()
    return end_tree(engine, ref_of(run), run)
