"""Reads the exec of one run into its spool until it ends, is killed, runs too long, prints too much or is lost."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog
from django.db import DatabaseError, close_old_connections

from projects.engine.base import Engine, ExecOutcome
from projects.engine.errors import ConnectionLost, EngineError, EngineUnreachable, NoSuchObject, WrongState
from projects.models import CommandRun
from projects.services.commands.leader import Remains, exec_spec, failed_start, remains_of
from projects.services.commands.settle import KILL_FAILED, end_tree, secrets_of, settle
from projects.services.credentials import exec_environment
from projects.services.masking import Masker
from projects.services.record import HUB, Actor
from projects.services.spool import Spool, SpoolFull
from projects.states import RunState, Stream

KILL_POLL_SECONDS = 0.5
LOST_WAIT_SECONDS = 20
"""How long after a lost connection the container is asked for the exit code."""
_HEAD_BYTES = 2048
_FALSE_AFTER_A_CUT = 126
"""What Engine 20.10 answers for an exec whose connection broke on the Engine's side, while the command still runs."""
_LOST = "The connection to the Engine broke: what was printed after that is lost"

log = structlog.get_logger(__name__)
T = TypeVar("T")


@dataclass(frozen=True)
class _End:
    state: RunState
    exit_code: int | None = None
    message: str = ""
    actor: Actor = HUB


class Reader:
    """One run's reading. `read` returns when the row has its end and the spool's lock is free."""

    def __init__(self, run: CommandRun, spool: Spool, engine: Engine, ref: str) -> None:
        self._run, self._spool, self._engine, self._ref = run, spool, engine, ref
        secrets = secrets_of(run)
        self._maskers = {stream: Masker(secrets) for stream in Stream}
        self._heads = {stream: bytearray() for stream in Stream}
        self._asked_at = time.monotonic()

    def read(self) -> None:
        """Raises EngineError when the command could not be started; its row says so already."""
        with self._spool:
            try:
                end = self._read_exec()
            except EngineError as error:
                self._settle(_End(RunState.FAILED, message=str(error)))
                raise
            except Exception as error:
                log.exception("run.reader_failed", run=str(self._run.id))
                killed = self._kill(RunState.INTERRUPTED, f"The hub could not go on reading this command ({error}), so it was killed.")
                self._settle(killed)
                raise
            self._settle(end)

    def _read_exec(self) -> _End:
        spec = exec_spec(self._run, exec_environment(self._run.project))
        try:
            outcome = self._engine.execs.run(
                self._ref,
                spec,
                sink=self._sink,
                timeout_seconds=self._run.timeout_seconds,
                stop=self._asked_to_stop,
                started=self._started,
            )
            self._flush_maskers()
        except SpoolFull as full:
            return self._kill(RunState.OUTPUT_LIMIT, str(full))
        except ConnectionLost:
            return self._after_loss()
        if outcome.timed_out:
            return self._kill(RunState.TIMED_OUT, f"It ran longer than {self._run.timeout_seconds} seconds, so it was killed.")
        if outcome.stopped:
            return self._killed()
        if outcome.connection_lost or outcome.exit_code is None:
            return self._after_loss()
        return self._finished(outcome)

    # -- while it runs ----------------------------------------------------------------------

    def _sink(self, stream: Stream, data: memoryview) -> None:
        head = self._heads[stream]
        if len(head) < _HEAD_BYTES:
            head += data[: _HEAD_BYTES - len(head)]
        self._spool.write(stream, self._maskers[stream].feed(data))

    def _flush_maskers(self) -> None:
        for stream, masker in self._maskers.items():
            self._spool.write(stream, masker.flush())

    def _asked_to_stop(self) -> bool:
        """Whether a kill stands in the row: any process may write it there."""
        self._spool.poll()
        if time.monotonic() - self._asked_at < KILL_POLL_SECONDS:
            return False
        self._asked_at = time.monotonic()
        try:
            return CommandRun.objects.filter(pk=self._run.pk, kill_requested=True).exists()
        except DatabaseError:
            # The database may be away for a while; the command goes on, and so does the reading.
            log.warning("run.kill_poll_failed", run=str(self._run.id), exc_info=True)
            close_old_connections()
            return False

    def _started(self, exec_id: str) -> None:
        CommandRun.objects.filter(pk=self._run.pk).update(exec_id=exec_id)

    # -- how it ended -----------------------------------------------------------------------

    def _finished(self, outcome: ExecOutcome) -> _End:
        code = outcome.exit_code
        never = failed_start(self._run, code, bytes(self._heads[Stream.STDOUT]), bytes(self._heads[Stream.STDERR]))
        if never:
            return _End(RunState.FAILED, code if code == 1 else None, never)
        remains = self._remains_quietly() if code in (_FALSE_AFTER_A_CUT, 137) else None
        if code == _FALSE_AFTER_A_CUT and (remains is None or remains.exit_code != code):
            return self._after_loss()
        if code == 137:
            if looks_out_of_memory(code, remains):
                limit = self._run.project.memory_limit_mb
                message = f"It ran out of the container's {limit} MB of memory; raise the project's limit or use less."
                return _End(RunState.OUT_OF_MEMORY, code, message)
            if not self._container_runs():
                return _End(RunState.FINISHED, code, "The container stopped while it ran.")
        return _End(RunState.FINISHED, code)

    def _killed(self) -> _End:
        self._run.refresh_from_db(fields=["kill_requested_by"])
        who = self._run.kill_requested_by or HUB.name
        end = self._kill(RunState.KILLED, f"It was killed by {who}.")
        return _End(end.state, end.exit_code, end.message, Actor(name=who))

    def _kill(self, state: RunState, message: str) -> _End:
        """End the whole tree; `kill_failed` when something of it may be left."""
        try:
            ended = end_tree(self._engine, self._ref, self._run)
        except EngineUnreachable as error:
            return _End(RunState.KILL_FAILED, message=f"{message} {error} {KILL_FAILED}")
        return _End(state, message=message) if ended else _End(RunState.KILL_FAILED, message=f"{message} {KILL_FAILED}")

    def _after_loss(self) -> _End:
        """Only the leader's own file tells the exit code now: what the Engine says after a cut is false."""
        until = time.monotonic() + LOST_WAIT_SECONDS
        pause, remains = 0.2, None
        self._flush_maskers()
        while time.monotonic() < until:
            try:
                remains = remains_of(self._engine, self._ref, self._run) or remains
            except (NoSuchObject, WrongState):
                return _End(RunState.CONNECTION_LOST, message=f"{_LOST}, and the container does not run any more.")
            except EngineError as error:
                log.info("run.lost_and_engine_away", run=str(self._run.id), error=str(error))
            if remains and not remains.alive:
                return _End(RunState.CONNECTION_LOST, remains.exit_code, f"{_LOST}.")
            if self._asked_to_stop():
                return self._killed()
            time.sleep(pause)
            pause = min(pause * 1.5, 2)
        doubt = "; it was still running then" if remains else "; whether it still runs is not known"
        return _End(RunState.CONNECTION_LOST, message=f"{_LOST}{doubt}, so kill it if it is not wanted.")

    def _remains_quietly(self) -> Remains | None:
        return _quietly(lambda: remains_of(self._engine, self._ref, self._run))

    def _container_runs(self) -> bool:
        info = _quietly(lambda: self._engine.containers.inspect(self._ref))
        return info is None or info.running

    def _settle(self, end: _End) -> None:
        self._spool.poll()
        settle(self._run, end.state, exit_code=end.exit_code, message=end.message, actor=end.actor)


def looks_out_of_memory(exit_code: int | None, remains: Remains | None) -> bool:
    """Conservative: ended by SIGKILL, not by us, and the container's own count of such kills rose while it ran."""
    return exit_code == 137 and remains is not None and remains.exit_code == 137 and remains.out_of_memory


def _quietly(call: Callable[[], T | None]) -> T | None:
    """An extra look that only betters a message: without an answer the message stays plain."""
    try:
        return call()
    except EngineError as error:
        log.info("run.no_further_look", error=str(error))
        return None
