"""Stands between the hub and the Engine and fails to order: the only honest way to test an outage without one.

with FaultProxy(path) as proxy:    # a unix socket; connections go on to the Engine's own
    proxy.set_mode("hang")         # nothing passes any more, connections stay open, new ones are accepted
    proxy.set_mode("refuse")       # the socket is gone, open connections are broken
    proxy.set_mode("pass")         # as if nothing had been
    proxy.cut()                    # break what is open now; new connections pass
"""

import contextlib
import socket
import threading
from pathlib import Path
from typing import Literal, Self

ENGINE = "/var/run/docker.sock"
_PIECE = 64 * 1024


class FaultProxy:
    """A thread per direction and connection: slow, and simple enough to be trusted."""

    def __init__(self, path: Path, upstream: str = ENGINE) -> None:
        self.path = path
        self.upstream = upstream
        self.accepted = 0
        self.held = 0
        self._passing = threading.Event()
        self._passing.set()
        self._sockets: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None

    @property
    def base_url(self) -> str:
        return f"unix://{self.path}"

    # -- the modes --------------------------------------------------------------------------

    def set_mode(self, mode: Literal["pass", "hang", "refuse", "cut"]) -> None:
        """ "cut" breaks what is open now and refuses nothing; the others last until the next mode."""
        if mode == "cut":
            self.cut()
        elif mode == "refuse":
            self._close()
        else:
            self._passing.set() if mode == "pass" else self._passing.clear()
            if self._listener is None:
                self.start()

    def cut(self) -> None:
        """Break every open connection, in both directions."""
        with self._lock:
            broken, self._sockets = self._sockets, set()
        for sock in broken:
            _break(sock)

    # -- its life ---------------------------------------------------------------------------

    def start(self) -> None:
        self.path.unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(str(self.path))
        listener.listen(128)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def stop(self) -> None:
        self._close()

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            self.path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut()
        self._passing.set()  # lets the threads of a hung proxy see that their sockets are broken

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _accept(self, listener: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                client = listener.accept()[0]
                self.accepted += 1
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        engine = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with self._lock:
            self._sockets |= {client, engine}
        try:
            self._passing.wait()
            engine.connect(self.upstream)
            back = threading.Thread(target=self._copy, args=(engine, client), daemon=True)
            back.start()
            self._copy(client, engine)
            back.join()
        except OSError:
            pass  # the other side is gone, which is what proxies are for
        finally:
            with self._lock:
                self._sockets -= {client, engine}
            client.close()
            engine.close()

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        """Until the end of one direction; the end is passed on, since the Engine's streams use half-closed ones."""
        with contextlib.suppress(OSError):
            while data := source.recv(_PIECE):
                if not self._passing.is_set():
                    self.held += 1  # somebody is in the middle of a call now
                self._passing.wait()
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)


def _break(sock: socket.socket) -> None:
    with contextlib.suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
