"""`hub exec`: a command in the project's container, its output as it comes, its exit status passed on."""

import os
import shlex
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Annotated, BinaryIO

import typer

from projects.cli.frame import REFUSED, TIMED_OUT, UNREACHABLE, ProjectArgument, actor, complain, project_named
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands import kill_command, start_command
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
    command: Annotated[list[str], typer.Argument(metavar="-- COMMAND...", help="As typed, word by word; no shell reads it.")],
    workdir: Annotated[str, typer.Option("--workdir", "-w", help="Directory in the container.")] = "/workspace",
    timeout: Annotated[int | None, typer.Option(min=1, help="Seconds until it is killed.", show_default="300")] = None,
) -> None:
    """Run a command in the project's container; put -- before it.

    Its words arrive exactly as typed. For pipes and variables ask for a shell: hub exec site -- bash -c 'ls | wc -l'.
    It gets no input. Ctrl-C ends it and everything that it started.
    """
    run = start_command(
        project=project_named(project), actor=actor(), command=shlex.join(command), workdir=workdir, timeout_seconds=timeout
    )
    raise typer.Exit(Following(run).to_the_end())


class _Signalled(Exception):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


class Following:
    """One run whose output goes to our stdout and stderr. Whatever stops us first ends the run too."""

    def __init__(self, run: CommandRun) -> None:
        self.run = run
        self.offset = 0
        self.outputs: dict[int, BinaryIO] = {Stream.STDOUT: sys.stdout.buffer, Stream.STDERR: sys.stderr.buffer}
        self.status: int | None = None  # ours, when it was we who ended it

    def to_the_end(self) -> int:
        """The status to exit with."""
        with _signals_raised():
            try:
                self._follow()
            except _Signalled as signalled:
                self._end_it(signalled.status)
            except BrokenPipeError:
                self._mute()
                self._end_it(128 + signal.SIGPIPE)
        return self._status()

    def _end_it(self, status: int) -> None:
        """Kill the whole tree in the container, and show what it still writes. A second signal stops the waiting."""
        self.status = status
        try:
            kill_command(run=self.run, actor=actor())
            self._follow()
        except _Signalled:
            complain("left before the command's end was seen; hub exec … -- ps shows whether something of it still runs.")
        except BrokenPipeError:
            self._mute()

    def _follow(self) -> None:
        """Copy until the run is final and its spool read to the end."""
        while True:
            over = self._is_over()  # asked first, so that nothing written before the end is missed
            moved = self._copy()
            if over and not moved:
                return
            if not moved:
                time.sleep(FOLLOW_SECONDS)

    def _is_over(self) -> bool:
        """The reader closes the spool before it writes the row, so the row alone is the end."""
        if spool.is_live(self.run):
            return False
        self.run.refresh_from_db()
        return self.run.state != RunState.RUNNING

    def _copy(self) -> bool:
        frames, taken = spool.split_frames(spool.read_from(self.run, self.offset, 4 * spool.READ_BYTES))
        for stream, payload in frames:
            self.outputs[stream].write(payload)
            self.outputs[stream].flush()
        self.offset += taken
        return taken > 0

    def _mute(self) -> None:
        """Nobody reads us any more; the rest goes nowhere, and Python's own flush at exit is kept from failing."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _status(self) -> int:
        run = self.run
        if run.state == RunState.FINISHED and self.status is None:
            return int(run.exit_code) if run.exit_code is not None else REFUSED
        if run.state == RunState.KILLED and self.status is not None:
            return self.status
        if self.status is None or run.state == RunState.KILL_FAILED:
            complain(run.message or f"the command ended as {run.get_state_display()}.")
        return self.status if self.status is not None else NOT_FINISHED.get(RunState(run.state), REFUSED)


@contextmanager
def _signals_raised() -> Iterator[None]:
    """Ctrl-C, a closed terminal and a polite kill arrive as `_Signalled` in the block."""

    def handle(number: int, _frame: FrameType | None) -> None:
        raise _Signalled(number)

    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handle) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
