"""One viewer of a session: a tmux client in the container, read and typed into over a raw exec."""

import asyncio
import contextlib
import math
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import close_old_connections

from projects.engine.base import MARKER_VARIABLE, Chunk, ExecSpec, ExecStream
from projects.engine.errors import ConnectionLost, EngineError
from projects.models import Project
from projects.services.credentials.lent import exec_environment
from projects.services.engines import current_engine
from projects.services.errors import NotFound
from projects.services.record import Actor
from projects.services.spec import WORKSPACE
from projects.services.terminals import tmux
from projects.services.terminals.carrying import Place
from projects.services.terminals.clients import Client
from projects.services.terminals.rows import compare, save_opened
from projects.services.terminals.sessions import checked_session_name, demand_room, name_of_container, place_of

# What xterm.js can: `sync` keeps a full-screen redraw in one piece.
CLIENT = ("-u", "-T", "sync,RGB,256,clipboard,title")
LONGEST_SIDE = 1000
SETTLE_ROUNDS, SETTLE_SECONDS = 10, 0.25
TRIES = 3
DRAWS_WITHIN_SECONDS, PROMPTS_WITHIN_SECONDS = 8.0, 2.0
ARRIVES_WITHIN_SECONDS, LEAVES_WITHIN_SECONDS = 1.0, 2.0
PASTE = re.compile(rb"\x1b\[20([01])~")
"""Bracketed paste of xterm: 0 begins it, 1 ends it."""
_THREADS = ThreadPoolExecutor(8, thread_name_prefix="terminal")

T = TypeVar("T")


class Typing:
    """What was typed last, as far as it matters to the end."""

    def __init__(self) -> None:
        self._at = -math.inf
        self._tail = b""
        self._pasting = False

    def typed(self, data: bytes) -> None:
        self._at = time.monotonic()
        if marks := PASTE.findall(self._tail + data):
            self._pasting = marks[-1] == b"0"
        self._tail = (self._tail + data)[-5:]

    @property
    def rests(self) -> bool:
        """All of it has arrived by now, and no paste is half done."""
        return not self._pasting and time.monotonic() > self._at + ARRIVES_WITHIN_SECONDS


class Terminal:
    """`open`, then `read` until None, then `wait`; `close` on every way out. Opened again after an end, it attaches anew."""

    def __init__(self, *, project: Project, session: str, cols: int, rows: int, actor: Actor, read_only: bool = False) -> None:
        self.project = project
        self.session = checked_session_name(session)
        self.cols, self.rows = bounded(cols), bounded(rows)
        self.persistent = True
        self._actor = actor
        self._read_only = read_only
        self._stream: ExecStream | None = None
        self._client: Client | None = None
        self._opening: asyncio.Task[None] | None = None
        self._closing = False
        self._container: tuple[str, object] = ("", None)
        self._ahead: list[Chunk | None] = []
        self._typing = Typing()

    async def open(self) -> None:
        """Afterwards its program reads keys: before its first output the terminal would echo them, and a Ctrl-C would end tmux.

        Raises ContainerNotRunning, NotFound (to watch, it must be there), Busy, ForeignContainer, EngineError."""
        # A task of its own: one that is cancelled half way would leave its client in the container, and its file locked.
        self._closing = False
        self._opening = asyncio.get_running_loop().create_task(self._open())
        await asyncio.shield(self._opening)

    async def _open(self) -> None:
        for _ in range(TRIES):
            client, spec = await _in_thread(self._prepare)
            self._client = client
            self._demand_wanted()
            client.started = True
            stream = current_engine().execs.open(client.ref, spec)
            await stream.__aenter__()
            self._stream = stream
            if (self.cols, self.rows) != (spec.cols, spec.rows):
                await self.resize(self.cols, self.rows)
            if await self._drawn(stream):
                return
            # Of many terminals that start at once the Engine leaves one in some hundreds deaf and mute (seen with 20.10).
            await self._leave()
        raise ConnectionLost("The terminal's program shows nothing; look whether the container is overloaded, and open it again.")

    async def _drawn(self, stream: ExecStream) -> bool:
        """Whether its first output, which is kept for `read`, came in time; a plain shell may have no prompt."""
        try:
            async with asyncio.timeout(DRAWS_WITHIN_SECONDS if self.persistent else PROMPTS_WITHIN_SECONDS):
                self._ahead = [await stream.read()]
        except TimeoutError:
            return not self.persistent
        return True

    async def read(self) -> bytes | None:
        chunk = self._ahead.pop() if self._ahead else await self._open_stream().read()
        return chunk.data if chunk else None

    def held(self) -> contextlib.AbstractContextManager[None]:
        """Between two reads: its output waits with the Engine, and is read at once afterwards."""
        return self._open_stream().held()

    async def write(self, data: bytes) -> None:
        """Waits while the terminal takes nothing. Raises ConnectionLost."""
        if not self._read_only:
            self._typing.typed(data)
            await self._open_stream().write(data)

    async def resize(self, cols: int, rows: int) -> None:
        """Kept for the next `open` too. Raises EngineError."""
        self.cols, self.rows = bounded(cols), bounded(rows)
        if self._stream is not None:
            await self._stream.resize(cols=self.cols, rows=self.rows)

    async def wait(self) -> int:
        """The client's exit code, after `read` gave None. Raises ConnectionLost."""
        return await self._open_stream().wait()

    async def lost_container(self, code: int) -> bool:
        """After an end with `code`: whether the container is gone, stopped, or was started anew, or cannot be asked for.

        A client that the container took along may be seen a moment before the Engine knows of its end.
        """
        for _ in range(SETTLE_ROUNDS if code else 1):
            try:
                if await _in_thread(lambda: _seen(self.project) != self._container):
                    return True
            except EngineError:
                return True
            if code:
                await asyncio.sleep(SETTLE_SECONDS)
        return False

    async def is_back(self) -> bool:
        return await _in_thread(lambda: bool(_seen(self.project)[0]))

    async def close(self) -> None:
        """The stream is closed and the client detached, after an `open` that is under way; a plain shell ends. Repeatable.

        What was written last has arrived by then. No `read` may be under way."""
        self._closing = True
        opening, self._opening = self._opening, None
        if opening is not None:
            await asyncio.gather(opening, return_exceptions=True)
        await self._leave()

    async def _leave(self) -> None:
        stream, client = self._stream, self._client
        self._stream = self._client = None
        self._ahead = []
        left = False
        try:
            if stream is not None:
                left = await self._left(stream)
                await stream.close()
        finally:
            if client is not None:
                await _in_thread(client.forget if left else client.end)

    async def _left(self, stream: ExecStream) -> bool:
        """Whether the client is gone: it is told to go over its own input, which costs the container nothing.

        Not right behind other keys, nor within a paste: newer tmux take what comes so fast for pasted text, and pass it on.
        """
        with contextlib.suppress(EngineError, TimeoutError):
            if not self._typing.rests:
                await _let_arrive(stream)
            elif self.persistent:
                return await _told_to_leave(stream)
        return False

    def _demand_wanted(self) -> None:
        if self._closing:
            raise NotFound("The terminal was closed before it was there; open it again.")

    def _open_stream(self) -> ExecStream:
        if self._stream is None:
            raise NotFound("The terminal is not open; open it again.")
        return self._stream

    def _prepare(self) -> "tuple[Client, ExecSpec]":
        self._demand_wanted()
        self._container = _seen(self.project)
        place = place_of(self.project)
        self.persistent = place.names is not None
        if self._read_only and self.session not in (place.names or ()):
            raise NotFound(f"There is no terminal {self.session} to watch; somebody who may type must open it first.")
        if place.names is not None:
            compare(self.project, place.names)
            if self.session not in place.names:
                demand_room(place)
                save_opened(self.project, self.session, self._actor)
        client = Client(place.ref)
        return client, self._spec(place, client.marker)

    def _spec(self, place: Place, marker: str) -> ExecSpec:
        lent = {} if self._read_only else exec_environment(self.project)
        attaching = (*tmux.TMUX, *CLIENT, *tmux.SYNC, ";", *tmux.LEAVING, ";")
        if place.names is None:
            command: tuple[str, ...] = ("bash", "-l")
        elif self._read_only:
            command = (*attaching, "attach-session", "-r", "-E", "-t", tmux.target(self.session))
        else:
            command = (*attaching, *tmux.lending(lent), ";", "new-session", "-A", "-s", self.session, "-c", WORKSPACE)
        environment = {**lent, "TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", MARKER_VARIABLE: marker}
        return ExecSpec(command=command, environment=environment, tty=True, stdin=True, cols=self.cols, rows=self.rows)


async def _let_arrive(stream: ExecStream) -> None:
    """The Engine ends a terminal's output once it has passed on all input; without this the client may be gone before that.

    Raises EngineError, TimeoutError."""
    async with asyncio.timeout(ARRIVES_WITHIN_SECONDS):
        await stream.half_close()
        await _read_out(stream)


async def _told_to_leave(stream: ExecStream) -> bool:
    """Raises EngineError, TimeoutError of one that stays."""
    async with asyncio.timeout(LEAVES_WITHIN_SECONDS):
        with contextlib.suppress(ConnectionLost):  # it may have ended by itself
            await stream.write(tmux.LEAVE)
        await _read_out(stream)
        await stream.wait()
        return True


async def _read_out(stream: ExecStream) -> None:
    while await stream.read() is not None:
        pass


def bounded(side: int) -> int:
    return max(2, min(side, LONGEST_SIDE))


def _seen(project: Project) -> tuple[str, object]:
    """The running container and when it was started; ("", None) while none runs."""
    info = current_engine().containers.inspect(name_of_container(project))
    return (info.docker_id, info.started_at) if info is not None and info.running else ("", None)


async def _in_thread(call: Callable[[], T]) -> T:
    """Shielded: a client that was made must not be lost to a cancelled wait."""
    return await asyncio.shield(asyncio.get_running_loop().run_in_executor(_THREADS, _with_connections, call))


def _with_connections(call: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return call()
    finally:
        close_old_connections()
