"""The tmux clients, and plain shells, of this hub: each has a file, and whoever reads it holds the file's lock.

The files are in `<data dir>/terminals`, named by the client's marker and holding its container's id. One whose lock is free is
an orphan. tmux clients of closed sockets would stay for ever (seen). The session's shell bears no marker, so ending a client by
its marker ends nothing else; a plain shell goes with its viewer.
"""

import fcntl
import os
from pathlib import Path
from uuid import uuid4

import structlog
from django.conf import settings

from projects.engine.errors import EngineError
from projects.services.engines import current_engine

log = structlog.get_logger(__name__)


class Client:
    """The file and lock of one, from before its exec until it is seen to be gone."""

    def __init__(self, ref: str) -> None:
        self.ref = ref
        self.started = False
        self.marker = uuid4().hex
        self._path = _directory() / self.marker
        self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        os.write(self._fd, ref.encode())

    def forget(self) -> None:
        """It is gone already."""
        self._path.unlink(missing_ok=True)
        os.close(self._fd)

    def end(self) -> None:
        """One whose Engine cannot be reached is left to `detach_orphans`."""
        try:
            if self.started:
                _detach(self._path, self.ref)
            else:
                self._path.unlink()
        finally:
            os.close(self._fd)


def detach_orphans() -> int:
    """Detach the tmux clients whose reader died; how many. Repeatable; call it at start and now and then."""
    return sum(_detach_orphan(path) for path in _directory().iterdir())


def _detach_orphan(path: Path) -> bool:
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    else:
        ref = os.read(fd, 100).decode()
        return bool(ref) and _detach(path, ref)  # without one, it is being made this moment
    finally:
        os.close(fd)


def _detach(path: Path, ref: str) -> bool:
    try:
        gone = current_engine().execs.kill(ref, path.name)
    except EngineError as error:
        log.warning("terminal.not_detached_yet", container=ref[:12], error=str(error))
        return False
    if gone:
        path.unlink(missing_ok=True)
    return gone


def _directory() -> Path:
    path: Path = settings.DATA_DIR / "terminals"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path
