"""`/ws/projects/<slug>/terminal/`: binary both ways; attached again by itself when the container comes back."""

import asyncio
from typing import Any

from projects.consumers.base import MALFORMED, Gone, Refused, Socket, malformed, whole
from projects.consumers.pace import Pace
from projects.consumers.typists import Typist, Typists, checked_typist
from projects.consumers.uses import uses
from projects.engine.errors import ConnectionLost, EngineError, EngineUnreachable
from projects.services.errors import BadInput, ContainerNotRunning, HubError
from projects.services.terminals import Terminal, Use

AGAIN_SECONDS = 1.0
MOST_KEPT_BYTES = 1024 * 1024
STOPPED = "The container has stopped or was replaced; the terminal comes back by itself when it runs."
BROKEN = "The connection to the container broke; attaching again."

_typists = Typists()


class TerminalConsumer(Socket):
    """Those who may not type may watch."""

    terminal: Terminal

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        super().__init__(scope, receive, send)
        self._input = bytearray()
        self._typed = asyncio.Event()
        self._taken = asyncio.Event()
        self._ready = asyncio.Event()
        self._watching = False
        self._typist = Typist(socket=self)
        self._confirms = False
        self._pace = Pace()
        self._uses = uses()

    async def opened(self) -> None:
        self._watching = not self.may_operate
        try:
            self.terminal = Terminal(
                project=self.project,
                session=self.query.get("session", "main"),
                cols=self._side("cols", 80),
                rows=self._side("rows", 24),
                actor=self.actor,
                read_only=self._watching,
            )
        except BadInput as error:
            raise Refused(MALFORMED, str(error)) from error
        await self._name_typist()
        self.start(self._show())
        self.start(self._type())

    async def on_message(self, message: dict[str, Any]) -> None:
        if message["type"] != "resize":
            raise malformed()
        cols, rows = whole(message, "cols"), whole(message, "rows")
        if not cols or not rows:
            raise malformed()
        await self.terminal.resize(cols, rows)

    async def on_bytes(self, data: bytes) -> None:
        """Waits while a full megabyte is not taken, and so holds the client back."""
        if self._watching:
            return await self.error("You may only watch here; typing needs the operator role in this project.")
        self._demand_newest()
        while len(self._input) >= MOST_KEPT_BYTES:
            self._taken.clear()
            await self._taken.wait()
        self._input += data
        self._typed.set()
        self._pace.typed()
        return None

    async def cleanup(self) -> None:
        if self._typist.socket is self:
            self._typist.socket = None
        if hasattr(self, "terminal"):
            await self.terminal.close()

    def _side(self, name: str, default: int) -> int:
        value = self.query.get(name, str(default))
        if not (value.isascii() and value.isdigit() and len(value) < 6 and int(value)):
            raise malformed()
        return int(value)

    # -- what was typed over a socket that broke ------------------------------------------

    async def _name_typist(self) -> None:
        """A page that types under a name is told how much of it was taken, now and whenever more is."""
        try:
            name = checked_typist(self.query.get("typist"))
        except ValueError:
            raise malformed() from None
        if name is None or self._watching:
            return
        self._typist, known = _typists.taken_over((self.user.pk, self.project.pk, self.terminal.session, name), self)
        self._confirms = True
        await self.say("taken", bytes=self._typist.taken, known=known)

    def _demand_newest(self) -> None:
        """The page types over another socket by now, and may have sent there what waits here."""
        if self._typist.socket is not self:
            raise Gone

    # -- its two tasks ----------------------------------------------------------------------

    async def _type(self) -> None:
        """What was typed before the terminal is there waits for it, and is not taken yet."""
        while True:
            await self._typed.wait()
            await self._ready.wait()
            self._demand_newest()
            data = bytes(self._input)
            self._input.clear()
            self._typist.taken += len(data)  # before it is written: a task that is ended meanwhile has it typed once, not twice
            self._typed.clear()
            self._taken.set()
            try:
                await self.terminal.write(data)
            except (ConnectionLost, HubError):
                self._ready.clear()  # the other task sees the end, and says what became of it
            if self._confirms:
                await self.say("taken", bytes=self._typist.taken, known=True)
            self._note(typed=True)

    async def _show(self) -> None:
        while True:
            await self._attach()
            lost = False
            try:
                while (data := await self.terminal.read()) is not None:
                    await self.output(data)
                    self._note(typed=False)
                    if self._pace.rests_after(len(data)):
                        with self.terminal.held():
                            await self._pace.rest()
                code = await self.terminal.wait()
            except EngineError:
                lost, code = True, -1
            self._ready.clear()
            if not lost and not await self.terminal.lost_container(code):
                await self.terminal.close()
                await self.say("exit", exit_code=code)
                return
            await self.terminal.close()
            await self._announce(BROKEN if lost else STOPPED)

    async def _attach(self) -> None:
        """Tries until it is there; each new reason is said once."""
        said = ""
        while True:
            try:
                await self.terminal.open()
                break
            except (ContainerNotRunning, EngineUnreachable, ConnectionLost) as error:
                await self.terminal.close()
                if str(error) != said:
                    said = str(error)
                    await self.error(said)
            except (HubError, EngineError) as error:
                await self.terminal.close()
                if str(error) != said:
                    said = str(error)
                    await self.error(said)
            await asyncio.sleep(AGAIN_SECONDS)
        await self.say("ready", session=self.terminal.session, persistent=self.terminal.persistent, read_only=self._watching)
        self._ready.set()

    async def _announce(self, line: str) -> None:
        """In the terminal, on the main screen, with what a program may have left switched on switched off."""
        plain = "\x1b[0m\x1b[?1049l\x1b[?25h\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?2004l"
        await self.output(f"{plain}\r\n[{line}]\r\n".encode())

    def _note(self, *, typed: bool) -> None:
        self._uses.note(Use(self.project.pk, self.terminal.session, typed))
