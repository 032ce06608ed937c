"""What goes on, on stderr: a bar that moves on a terminal, plain lines where nobody watches."""

import re
import sys
from types import TracebackType
from typing import Self

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from projects.cli.frame import printable
from projects.engine.base import BuildProgress

WIDTH = 60
_GIT_PHASE = re.compile(r"(?:remote: )?(?P<phase>[A-Z][a-z]+(?: [a-z]+)*): +(?P<percent>\d{1,3})%")


class Steps:
    """While entered, `show` says where the work stands. On a terminal the bar is gone afterwards, and the lines stay hidden."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._progress: Progress | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=Console(file=sys.stderr), transient=True)
            self._progress.start()
            self._task = self._progress.add_task(self._title, total=None)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._progress is not None:
            self._progress.stop()

    def show(self, line: str, done: int | None = None, total: int | None = None) -> None:
        """One line of the work, and how much of it is done."""
        words = printable(line)
        if self._progress is None:
            typer.echo(words, err=True)
        else:
            self._progress.update(self._task, description=words[:WIDTH].ljust(WIDTH), completed=done or 0, total=total)


class BuildSteps(Steps):
    """An image build: a step of its steps at a time."""

    def __call__(self, progress: BuildProgress) -> None:
        step = f"[{progress.step}/{progress.steps}] " if progress.step else ""
        for line in progress.line.splitlines():
            if line.strip():
                self.show(step + line, progress.step, progress.steps)


class GitSteps(Steps):
    """What `git --progress` says: lines that end, and lines that are written over each other."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self._rest = ""

    def __call__(self, data: bytes) -> None:
        *lines, self._rest = re.split(r"(?<=[\r\n])", self._rest + data.decode(errors="replace"))
        for line in lines:
            found = _GIT_PHASE.match(line)
            if self._progress is None and line.endswith("\r"):
                continue  # a percentage that the next one replaces
            if line.strip():
                self.show(line.strip(), int(found["percent"]) if found else None, 100 if found else None)
