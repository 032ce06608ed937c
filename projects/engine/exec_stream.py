"""An exec attached over asyncio: output as it comes, input with back-pressure, a terminal's size.

The SDK's few blocking calls run in a small pool of this module. The default pool has six threads on two cores; one hung
Engine would fill it and stop everything else that a web process does in threads.
"""

import asyncio
import contextlib
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import ParamSpec, Self, TypeVar

from projects.engine.base import Chunk, ExecSpec
from projects.engine.dial import Head, Wire, dial, open_streams, refusal, upgrade_request
from projects.engine.errors import ConnectionLost, EngineError, NoSuchObject, Refused, WrongState
from projects.engine.exec_calls import ExecConnection, confirmed_exit_code, create, sized, start_body
from projects.engine.frames import FrameParser
from projects.engine.silence import Silence
from projects.engine.translate import translated
from projects.engine.valve import Reader
from projects.states import Stream

READ_BYTES = 64 * 1024
START_SECONDS = 30
FLUSH_SECONDS = 1
THREADS = 16

P = ParamSpec("P")
T = TypeVar("T")
_pools: dict[int, ThreadPoolExecutor] = {}


async def in_pool(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a blocking call in this module's threads; each process has its own, since threads do not survive a fork."""
    pool = _pools.get(os.getpid())
    if pool is None:
        pool = _pools.setdefault(os.getpid(), ThreadPoolExecutor(THREADS, thread_name_prefix="engine-exec"))
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: call(*args, **kwargs))


def _create(connection: ExecConnection, ref: str, spec: ExecSpec) -> str:
    return create(connection, ref, sized(connection, spec))


class DockerExecStream:
    """`ExecStream` of projects.engine.base. One reader and one writer at a time; a cancelled `read` loses nothing."""

    exec_id = ""

    def __init__(self, connection: ExecConnection, ref: str, spec: ExecSpec, silence: Silence) -> None:
        self._connection = connection
        self._ref = ref
        self._spec = spec
        self._silence = silence
        self._chunks: deque[Chunk] = deque()
        self._frames = None if spec.tty else FrameParser()
        self._wire: Wire | None = None
        self._reader: Reader | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._ended = False
        self._lost = False

    async def __aenter__(self) -> Self:
        self.exec_id = await in_pool(_create, self._connection, self._ref, self._spec)
        try:
            self._wire = await in_pool(dial, self._connection)
            self._reader, self._writer = await open_streams(self._connection, self._wire, limit=READ_BYTES)
            await self._start()
            if self._spec.tty:
                await self.resize(cols=self._spec.cols, rows=self._spec.rows)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def read(self) -> Chunk | None:
        """As the protocol says. A broken connection ends the stream too; `wait` tells them apart."""
        while not self._chunks:
            if self._ended:
                return None
            data = await self._next_bytes()
            if not data:
                self._ended = True
                self._lost = self._lost or (self._frames is not None and not self._frames.whole)
            else:
                self._take(memoryview(data))
        return self._chunks.popleft()

    def held(self) -> contextlib.AbstractContextManager[None]:
        """As the protocol says."""
        return contextlib.nullcontext() if self._reader is None else self._reader.valve.held()

    async def write(self, data: bytes) -> None:
        """Raises ConnectionLost when the process or the connection is gone."""
        writer = self._open_writer()
        try:
            writer.write(data)
            await writer.drain()
        except (OSError, RuntimeError) as error:
            raise ConnectionLost("The process takes no more input: it ended, or its connection broke.") from error

    async def half_close(self) -> None:
        """Raises Refused over TLS, which has no half-open connections here."""
        writer = self._open_writer()
        if not writer.can_write_eof():
            raise Refused("The end of input cannot be sent over TLS; let the command know its input's size instead.")
        with contextlib.suppress(OSError):  # it ended already, and so did its input
            writer.write_eof()

    async def resize(self, *, cols: int, rows: int) -> None:
        """Quiet when the process has ended already. Raises EngineUnreachable, Refused."""
        try:
            await in_pool(self._resize, cols, rows)
        except (NoSuchObject, WrongState, Refused):
            # The Engine answers 404, 409 or 500 for a process that is gone; only a living one must not go unsized.
            if await in_pool(self._running):
                raise

    async def wait(self) -> int:
        exit_code = None if self._lost else await in_pool(confirmed_exit_code, self._connection, self.exec_id)
        if exit_code is None:
            raise ConnectionLost("The connection to the process broke; whether it still runs is unknown. Attach again, or kill it.")
        return exit_code

    async def close(self) -> None:
        """Frees the connection within about a second, sending first what was written. Repeatable."""
        self._ended = True
        self._chunks.clear()
        wire, writer = self._wire, self._writer
        self._wire = self._writer = None
        if writer is not None:
            writer.close()
            try:
                await asyncio.wait_for(writer.wait_closed(), FLUSH_SECONDS)
            except (OSError, TimeoutError):
                writer.transport.abort()
        if wire is not None:
            wire.sock.close()
            if wire.process is not None:
                await in_pool(wire.reap)

    # -- inside ---------------------------------------------------------------------------

    async def _start(self) -> None:
        body = await in_pool(start_body, self._connection, self._spec)
        self._open_writer().write(upgrade_request(self._connection, f"/exec/{self.exec_id}/start", body))
        head = Head()
        try:
            async with asyncio.timeout(START_SECONDS):
                rest = await self._read_head(head)
                refused = bytearray(rest)
                while not head.upgraded and len(refused) < (head.body_bytes or 1):
                    refused += await self._some() or b" "
        except (OSError, TimeoutError) as error:
            raise ConnectionLost("The Engine did not answer the start of the process in time; is it overloaded? Try again.") from error
        if not head.upgraded:
            raise refusal(head.status, bytes(refused))
        self._silence.heard()
        self._take(rest)

    async def _read_head(self, head: Head) -> memoryview:
        while True:
            data = await self._some()
            if not data:
                raise ConnectionLost("The Engine broke the connection before the process started; try again.")
            if (rest := head.feed(memoryview(data))) is not None:
                return rest

    async def _some(self) -> bytes:
        if self._reader is None:
            return b""
        return await self._reader.read(READ_BYTES)

    async def _next_bytes(self) -> bytes:
        """The next bytes; b"" at the end or at a break, or when the Engine hangs."""
        while True:
            try:
                async with asyncio.timeout(min(1.0, self._silence.silence_seconds)):
                    data = await self._some()
            except TimeoutError:
                if not self._silence.hung():
                    continue
                data, self._lost = b"", True
            except OSError:
                data, self._lost = b"", True
            self._silence.heard()
            return data

    def _take(self, data: memoryview) -> None:
        if self._frames is None:
            if data:
                self._chunks.append(Chunk(Stream.STDOUT, bytes(data)))
            return
        try:
            self._chunks.extend(Chunk(stream, bytes(payload)) for stream, payload in self._frames.feed(data))
        except ConnectionLost:
            self._ended = self._lost = True

    def _open_writer(self) -> asyncio.StreamWriter:
        if self._writer is None:
            raise ConnectionLost("The connection to the process is closed; open it again.")
        return self._writer

    def _resize(self, cols: int, rows: int) -> None:
        with translated(self._connection.base_url):
            self._connection.client().exec_resize(self.exec_id, height=rows, width=cols)

    def _running(self) -> bool:
        try:
            with translated(self._connection.base_url):
                return bool(self._connection.client().exec_inspect(self.exec_id)["Running"])
        except NoSuchObject:
            return False
        except EngineError:
            return True
