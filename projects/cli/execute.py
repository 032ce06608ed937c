"""`hub exec`: a command in the project's container, its output as it comes, its exit status passed on."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Annotated, Any, BinaryIO, Self

import typer

from projects.cli.frame import REFUSED, TIMED_OUT, UNREACHABLE, ProjectArgument, actor, complain, project_named
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands import kill_command, mark_interrupted, start_command
from projects.states import RunState, Stream

FOLLOW_SECONDS = 0.02
KILLED = 128 + signal.SIGKILL
NOT_FINISHED = {
    RunState.TIMED_OUT: TIMED_OUT,
    RunState.KILLED: KILLED,
    RunState.OUT_OF_MEMORY: KILLED,
    RunState.OUTPUT_LIMIT: KILLED,
    RunState.CONNECTION_LOST: UNREACHABLE,
}


def execute(
    project: ProjectArgument,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND", help="Put -- before it; no shell reads it.")],
    workdir: Annotated[str, typer.Option("--workdir", "-w", help="Directory in the container.")] = "/workspace",
    timeout: Annotated[int | None, typer.Option(min=1, help="Seconds until it is killed.", show_default="300")] = None,
) -> None:
    """Run a command in the project's container; put -- before it.

    Its words arrive exactly as typed. For pipes and variables ask for a shell: hub exec site -- bash -c 'ls | wc -l'.

    It gets no input. Ctrl-C ends it and everything that it started.
    """
    found = project_named(project)
    with Signals() as signals:
        run = start_command(project=found, actor=actor(), command=shlex.join(command), workdir=workdir, timeout_seconds=timeout)
        status = Following(run, signals).to_the_end()
    raise typer.Exit(status)


class Signalled(Exception):
    """Ctrl-C, a closed terminal or a polite kill; `status` is what to exit with."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


class OutputGone(Exception):
    """Nobody reads our output any more."""


class Signals:
    """While entered, signals are noted; inside `raising` they also interrupt, even a write that is held up."""

    def __init__(self) -> None:
        self._noted: int | None = None
        self._raises = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def raising(self) -> Iterator[None]:
        """One that came before is raised now. Raises Signalled, once for each signal."""
        self._raises = True
        try:
            if self._noted is not None:
                self._handle(self._noted, None)
            yield
        finally:
            self._raises = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._noted = number
        if self._raises:
            self._noted, self._raises = None, False
            raise Signalled(number)


class Following:
    """One run whose output goes to our stdout and stderr. Whatever stops us first ends the run too."""

    def __init__(self, run: CommandRun, signals: Signals) -> None:
        self.run = run
        self.signals = signals
        self.offset = 0
        self.read_bytes = spool.READ_BYTES
        self.outputs: dict[int, BinaryIO] = {Stream.STDOUT: sys.stdout.buffer, Stream.STDERR: sys.stderr.buffer}
        self.muted = False
        self.status: int | None = None  # set when it was we who ended the run

    def to_the_end(self) -> int:
        """The status to exit with."""
        try:
            self._follow()
        except Signalled as signalled:
            self._end_it(signalled.status)
        except OutputGone:
            self._mute()
            self._end_it(128 + signal.SIGPIPE)
        return self._status()

    def _end_it(self, status: int) -> None:
        """Kill the whole tree in the container, and show what it still writes. A second signal stops the waiting."""
        self.status = status
        kill_command(run=self.run, actor=actor())
        try:
            self._follow()
        except Signalled:
            complain("left before the command's end was seen; something of it may still run.")
        except OutputGone:
            self._mute()
            self._follow()

    def _follow(self) -> None:
        """Copy until the run is final and its spool read to the end. Raises Signalled, OutputGone."""
        with self.signals.raising():
            while True:
                over = self._is_over()  # asked first, so that nothing written before the end is missed
                moved = self._copy()
                if over and not moved:
                    return
                if not moved:
                    time.sleep(FOLLOW_SECONDS)

    def _is_over(self) -> bool:
        if spool.is_live(self.run):
            return False
        self.run.refresh_from_db()
        if self.run.state == RunState.RUNNING:  # the reader writes the end before it frees the lock, so this one died
            mark_interrupted()
            self.run.refresh_from_db()
        return self.run.state != RunState.RUNNING

    def _copy(self) -> bool:
        data = spool.read_from(self.run, self.offset, self.read_bytes)
        frames, taken = spool.split_frames(data)
        if not taken and len(data) == self.read_bytes:
            self.read_bytes *= 2  # a frame larger than what was read
            return True
        self.offset += taken
        for stream, payload in frames:
            self._write(self.outputs[stream], payload)
        return taken > 0

    def _write(self, output: BinaryIO, payload: bytes) -> None:
        if self.muted:
            return
        try:
            output.write(payload)
            output.flush()
        except OSError as error:  # a closed pipe, or a terminal that went away
            raise OutputGone from error

    def _mute(self) -> None:
        """The rest goes nowhere; Python's own flush at exit, too, must not fail."""
        self.muted = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)

    def _status(self) -> int:
        run, state = self.run, RunState(self.run.state)
        if self.status is not None:
            if state == RunState.KILL_FAILED:
                complain(run.message or "something of the command may still run; hub restart ends it.")
            return self.status
        if state == RunState.FINISHED and run.exit_code is not None:
            if run.message:
                complain(run.message)
            return run.exit_code
        complain(run.message or f"the command ended as {state.replace('_', ' ')}.")
        return NOT_FINISHED.get(state, REFUSED)
