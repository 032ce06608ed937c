"""`hub exec`: a command in the project's container, its output as it comes, its exit status passed on."""

import shlex
import signal
import time
from typing import Annotated

import typer

from projects.cli.copying import Copying, OutputGone
from projects.cli.frame import REFUSED, TIMED_OUT, UNREACHABLE, ProjectArgument, actor, complain, project_named
from projects.cli.signals import Signalled, Signals
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands import kill_command, mark_interrupted, start_command
from projects.states import RunState

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


class Following:
    """One run whose output goes to our stdout and stderr. Whatever stops us first ends the run too."""

    def __init__(self, run: CommandRun, signals: Signals) -> None:
        self.run = run
        self.signals = signals
        self.copying = Copying(run)
        self.status: int | None = None  # set when it was we who ended the run

    def to_the_end(self) -> int:
        """The status to exit with."""
        try:
            self._follow()
        except Signalled as signalled:
            self._end_it(signalled.status)
        except OutputGone:
            self.copying.mute()
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
            self.copying.mute()
            self._follow()

    def _follow(self) -> None:
        """Copy until the run is final and its spool read to the end. Raises Signalled, OutputGone."""
        with self.signals.raising():
            while True:
                over = self._is_over()  # asked first, so that nothing written before the end is missed
                moved = self.copying.step()
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
