"""`hub shell`: a real terminal in the project's container. The session goes on when this window closes."""

import asyncio
import os
import signal
import sys
import termios
import tty
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from projects.cli.frame import REFUSED, UNREACHABLE, USAGE, ProjectArgument, actor, complain, project_named
from projects.engine.errors import ConnectionLost, EngineError
from projects.services.terminals import Terminal

DETACH = b"\x1d"  # Ctrl-], as telnet has it: no shell and no editor of note uses it
READ_BYTES = 4096


def shell(
    project: ProjectArgument,
    session: Annotated[str, typer.Option("--session", "-s", help="The terminal's name; it is made where there is none.")] = "main",
) -> None:
    """Open a terminal in the project's container.

    It goes on when you leave it: Ctrl-] leaves, exit ends it. The browser's console shows the same terminals.
    """
    found = project_named(project)
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise typer.Exit(complain("hub shell needs a terminal; for a command in a pipe take hub exec.", USAGE))
    cols, rows = os.get_terminal_size(sys.stdout.fileno())  # and not what COLUMNS and LINES may say
    terminal = Terminal(project=found, session=session, cols=cols, rows=rows, actor=actor())
    raise typer.Exit(asyncio.run(Visit(terminal).to_the_end()))


class Visit:
    """One terminal on our own screen, until it ends, is left, or we are told to go. The screen is as before on every way out."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        self._asked = asyncio.Event()
        self._signal: signal.Signals | None = None
        self._left = False
        self._typed: asyncio.Queue[bytes] = asyncio.Queue(maxsize=64)

    async def to_the_end(self) -> int:
        """The status to exit with: the shell's own, 0 when it was left, 128 and the signal's number when that came."""
        try:
            await self.terminal.open()
            with raw_mode(), self._signals(), self._keys():
                status = await self._attached()
        finally:
            await self.terminal.close()
        if self._left:
            typer.echo(f"\nLeft {self.terminal.project.slug}; the terminal {self.terminal.session} goes on.", err=True)
        return status

    async def _attached(self) -> int:
        showing = asyncio.create_task(self._show())
        typing = asyncio.create_task(self._type())
        asked = asyncio.create_task(self._asked.wait())
        tasks = {showing, typing, asked}
        try:
            await asyncio.wait({showing, asked}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks - {showing}:
                task.cancel()
        if self._signal is not None or self._left:
            showing.cancel()
            await asyncio.wait({showing})
            return 0 if self._signal is None else 128 + self._signal
        return showing.result()

    async def _show(self) -> int:
        """Copy until the end. Says which end it was."""
        output = sys.stdout.fileno()
        loop = asyncio.get_running_loop()
        try:
            while (data := await self.terminal.read()) is not None:
                await loop.run_in_executor(None, write_all, output, data)
            code = await self.terminal.wait()
            if await self.terminal.lost_container(code):
                return self._told("the container was stopped or replaced; open the terminal again when it runs.", REFUSED)
            return code
        except (ConnectionLost, EngineError) as error:
            return self._told(str(error), UNREACHABLE)
        except OSError:  # our own terminal went away
            return 128 + signal.SIGHUP

    @staticmethod
    def _told(message: str, status: int) -> int:
        sys.stderr.write("\r\n")
        return complain(message, status)

    async def _type(self) -> None:
        while True:
            data = await self._typed.get()
            before, detach, _after = data.partition(DETACH)
            if before:
                try:
                    await self.terminal.write(before)
                except EngineError:
                    return  # the other task sees the end, and says it
            if detach:
                self._left = True
                self._asked.set()
                return

    # -- what comes from outside --------------------------------------------------------------

    @contextmanager
    def _keys(self) -> Iterator[None]:
        loop, keyboard = asyncio.get_running_loop(), sys.stdin.fileno()

        def take() -> None:
            if self._typed.full():
                return  # the container takes nothing: what is typed waits in our own terminal
            data = os.read(keyboard, READ_BYTES)
            if data:
                self._typed.put_nowait(data)
            else:
                loop.remove_reader(keyboard)

        loop.add_reader(keyboard, take)
        try:
            yield
        finally:
            loop.remove_reader(keyboard)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        ends = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
        for number in ends:
            loop.add_signal_handler(number, self._end, number)
        loop.add_signal_handler(signal.SIGWINCH, self._resized)
        try:
            yield
        finally:
            for number in (*ends, signal.SIGWINCH):
                loop.remove_signal_handler(number)

    def _end(self, number: signal.Signals) -> None:
        self._signal = number
        self._asked.set()

    def _resized(self) -> None:
        cols, rows = os.get_terminal_size(sys.stdout.fileno())
        self._resizing = asyncio.create_task(self._resize(cols, rows))

    async def _resize(self, cols: int, rows: int) -> None:
        try:
            await self.terminal.resize(cols, rows)
        except EngineError:
            return  # it ends just now, and the other task says so


@contextmanager
def raw_mode() -> Iterator[None]:
    """Keys as they are typed, Ctrl-C among them; the modes before come back in every case, and what a program left on goes off."""
    keyboard = sys.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    tty.setraw(keyboard)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
        sys.stdout.write("\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l\x1b[0m")
        sys.stdout.flush()


def write_all(output: int, data: bytes) -> None:
    """Raises OSError when the terminal is gone."""
    view = memoryview(data)
    while view:
        view = view[os.write(output, view) :]
