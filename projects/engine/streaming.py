"""Streams that the Engine keeps open: read on a thread of their own, so that nobody waits for ever.

The SDK's own readers end quietly when the connection is cut, and wait for ever at an Engine that hangs. Here a cut is
ConnectionLost, a ping of its own notices the hung one, and `close()` from any thread ends the wait.
"""

import contextlib
import queue
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import docker
import docker.errors
import requests

from projects.engine.errors import ConnectionLost, EngineUnreachable
from projects.engine.translate import checked, translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

PING_SECONDS = 3.0
_WAITING_CHUNKS = 64
_OPENED, _CHUNK, _END = "opened", "chunk", "end"

Request = Callable[[docker.APIClient], requests.Response]


class Streaming:
    """The chunks of one streamed answer, in order and as they come.

    `request` makes the call, on the stream's own thread and client, with stream=True and a timeout that counts until
    the head of the answer. After `patience_seconds` in which no ping was answered, the Engine counts as hung.
    """

    def __init__(self, connection: "Connection", request: Request, *, patience_seconds: float = 10) -> None:
        self._connection = connection
        self._request = request
        self._patience_seconds = patience_seconds
        self._items: queue.Queue[tuple[str, Any]] = queue.Queue(_WAITING_CHUNKS)
        self._closed = threading.Event()
        self._response: requests.Response | None = None
        self._lock = threading.Lock()
        for work in (self._read, self._watch):
            threading.Thread(target=work, name=f"engine-stream{work.__name__}", daemon=True).start()

    def next(self, timeout_seconds: float | None = None) -> bytes | None:
        """The next chunk; empty bytes once, when the Engine accepted; None at the confirmed end or after `close`.

        Raises TimeoutError after `timeout_seconds`, ConnectionLost when the stream broke, and what the request raised.
        """
        deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        while not self._closed.is_set():
            left = 0.25 if deadline is None else min(0.25, deadline - time.monotonic())
            if left <= 0:
                raise TimeoutError
            try:
                kind, value = self._items.get(timeout=left)
            except queue.Empty:
                continue
            if kind == _END:
                self.close()
                if value is not None:
                    raise value
                return None
            return b"" if kind == _OPENED else value
        return None

    def __iter__(self) -> Iterator[bytes]:
        while (chunk := self.next()) is not None:
            if chunk:
                yield chunk

    def close(self) -> None:
        """End the stream from any thread; the Engine notices by the closed connection."""
        self._closed.set()
        with self._lock:
            if self._response is not None:
                _shut(self._response)

    # -- the reader -------------------------------------------------------------------------

    def _read(self) -> None:
        error: Exception | None = None
        try:
            with self._connection.raw_client() as client, translated(self._connection.base_url):
                self._read_all(client)
        except Exception as raised:  # the consumer gets it; after a close nobody wants it
            error = raised
        self._put(_END, error)

    def _read_all(self, client: docker.APIClient) -> None:
        with self._request(client) as response:
            checked(response)
            with self._lock:
                self._response = response
                _wait_for_ever(response)
            self._put(_OPENED, b"")
            try:
                for chunk in response.iter_content(None):
                    self._put(_CHUNK, chunk)
                    if self._closed.is_set():
                        return
            except (requests.RequestException, OSError) as error:
                raise ConnectionLost("The connection to the Docker Engine broke in the middle; try again.") from error
            finally:
                with self._lock:
                    self._response = None

    def _put(self, kind: str, value: Any) -> None:
        """Waits while the consumer is slow: that holds the Engine back."""
        while not self._closed.is_set():
            with contextlib.suppress(queue.Full):
                self._items.put((kind, value), timeout=0.25)
                return

    # -- the watchdog -----------------------------------------------------------------------

    def _watch(self) -> None:
        answered = time.monotonic()
        while not self._closed.wait(min(PING_SECONDS, self._patience_seconds / 2)):
            try:
                self._connection.ping(PING_SECONDS)
                answered = time.monotonic()
            except EngineUnreachable as error:
                if time.monotonic() - answered >= self._patience_seconds:
                    self._give_up(error)
                    return

    def _give_up(self, error: EngineUnreachable) -> None:
        """Chunks that wait are dropped: after them there is a gap anyway."""
        lost = ConnectionLost("The Docker Engine stopped answering in the middle; is it hung? Restart it, then try again.")
        lost.__cause__ = error
        while True:
            try:
                self._items.put_nowait((_END, lost))
                return
            except queue.Full:
                with contextlib.suppress(queue.Empty):
                    self._items.get_nowait()


def _socket_of(response: requests.Response) -> Any:
    """The connection's socket (unix, TCP, TLS) or channel (ssh)."""
    connection = getattr(response.raw, "_connection", None)
    return getattr(connection, "sock", None)


def _wait_for_ever(response: requests.Response) -> None:
    """Silence is no fault in a stream: the time limit was for the head only."""
    sock = _socket_of(response)
    if sock is not None:
        sock.settimeout(None)


def _shut(response: requests.Response) -> None:
    """Ends a read that another thread is blocked in; closing alone would not."""
    sock = _socket_of(response)
    with contextlib.suppress(OSError, EOFError):
        if isinstance(sock, socket.socket):
            socket.socket.shutdown(sock, socket.SHUT_RDWR)
        elif sock is not None:
            sock.close()
