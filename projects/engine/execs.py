"""Processes in containers: run to the end, attached, or ended by their marker.

The SDK makes and inspects execs; the stream itself is read from a socket of our own. The SDK's own reader loses output:
it reads the raw socket although a buffered reader parsed the headers and may hold the first frames already.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from projects.engine.base import ExecOutcome, ExecSpec, ExecStream, Sink
from projects.engine.dial import Head, Wire, dial_secured, refusal, upgrade_request
from projects.engine.errors import ConnectionLost
from projects.engine.exec_calls import ExecConnection, confirmed_exit_code, create, start_body
from projects.engine.exec_kill import Killer
from projects.engine.exec_stream import DockerExecStream
from projects.engine.frames import FrameParser
from projects.engine.silence import Silence
from projects.states import Stream

POLL_SECONDS = 0.2
BUFFER_BYTES = 256 * 1024


class DockerExecs:
    """`Execs` of projects.engine.base, on the real Engine. The two spans say how a hung Engine is noticed: a ping of
    its own after each `silence_seconds` without output, and two unanswered ones mean that the connection is lost."""

    def __init__(self, connection: ExecConnection, *, silence_seconds: float = 10, ping_timeout_seconds: float = 5) -> None:
        self.connection = connection
        self._silence_seconds = silence_seconds
        self._ping_timeout_seconds = ping_timeout_seconds

    def run(
        self,
        ref: str,
        spec: ExecSpec,
        *,
        sink: Sink,
        timeout_seconds: float | None = None,
        stop: Callable[[], bool] | None = None,
        started: Callable[[str], None] | None = None,
    ) -> ExecOutcome:
        """As the protocol says. A timeout counts from this call."""
        began = time.monotonic()
        exec_id = create(self.connection, ref, spec)
        if started:
            started(exec_id)
        wire = dial_secured(self.connection)
        try:
            reading = Reading(wire, spec.tty, sink, self.silence(), stop, None if timeout_seconds is None else began + timeout_seconds)
            ending = reading.to_the_end(upgrade_request(self.connection, f"/exec/{exec_id}/start", start_body(self.connection, spec)))
        finally:
            wire.close()
        exit_code = confirmed_exit_code(self.connection, exec_id) if ending.over else None
        return ExecOutcome(
            exec_id=exec_id,
            exit_code=exit_code,
            timed_out=ending.timed_out,
            stopped=ending.stopped,
            connection_lost=exit_code is None and not (ending.timed_out or ending.stopped),
            duration_seconds=time.monotonic() - began,
        )

    def open(self, ref: str, spec: ExecSpec) -> ExecStream:
        """As the protocol says; works with asyncio's loop and uvloop."""
        return DockerExecStream(self.connection, ref, spec, self.silence())

    def kill(self, ref: str, marker: str, *, grace_seconds: float = 3) -> bool:
        """As the protocol says; quiet and True for a container that does not run. Raises EngineUnreachable."""
        return Killer(self.connection, self.run, ref, marker).kill(grace_seconds)

    def silence(self) -> Silence:
        return Silence(self.connection, self._silence_seconds, self._ping_timeout_seconds)


# -- the stream's part ----------------------------------------------------------------------


@dataclass(frozen=True)
class Ending:
    """Why a reading ended: at the end of the stream, or else at a deadline, a stop or a break."""

    over: bool = False
    timed_out: bool = False
    stopped: bool = False


LOST = Ending()


class Reading:
    """Reads one started exec to its end and hands every payload to the sink, without copies."""

    def __init__(
        self, wire: Wire, tty: bool, sink: Sink, silence: Silence, stop: Callable[[], bool] | None, deadline: float | None
    ) -> None:
        self._wire = wire
        self._sink = sink
        self._silence = silence
        self._stop = stop
        self._deadline = deadline
        self._head = Head()
        self._frames = None if tty else FrameParser()
        self._refused = bytearray()

    def to_the_end(self, request: bytes) -> Ending:
        """Send the request that starts it, then read. Raises NoSuchObject, WrongState or Refused if the Engine says no."""
        sock = self._wire.sock
        buffer = memoryview(bytearray(BUFFER_BYTES))
        try:
            sock.sendall(request)
            sock.settimeout(POLL_SECONDS)
        except OSError:
            return LOST
        next_look = 0.0
        while True:
            now = time.monotonic()
            if now >= next_look:
                next_look = now + POLL_SECONDS
                if ending := self._asked_to_end(now):
                    return ending
            try:
                size = sock.recv_into(buffer)
            except TimeoutError:
                if self._silence.hung():
                    return LOST
                continue
            except OSError:
                return LOST
            if not size:
                return self._at_the_end()
            self._silence.heard()
            try:
                self._take(buffer[:size])
            except ConnectionLost:
                return LOST

    def _asked_to_end(self, now: float) -> Ending | None:
        if self._stop and self._stop():
            return Ending(stopped=True)
        if self._deadline is not None and now >= self._deadline:
            return Ending(timed_out=True)
        return None

    def _take(self, data: memoryview) -> None:
        if not self._head.status:
            rest = self._head.feed(data)
            if rest is None:
                return
            data = rest
        if not self._head.upgraded:
            self._refused += data
            if self._head.body_bytes is not None and len(self._refused) >= self._head.body_bytes:
                raise refusal(self._head.status, bytes(self._refused))
        elif self._frames is None:
            if data:
                self._sink(Stream.STDOUT, data)
        else:
            for stream, payload in self._frames.feed(data):
                self._sink(stream, payload)

    def _at_the_end(self) -> Ending:
        if not self._head.status:
            return LOST
        if not self._head.upgraded:
            raise refusal(self._head.status, bytes(self._refused))
        if self._frames and not self._frames.whole:
            return LOST
        return Ending(over=True)
