"""A lock that other processes see, and that ends with its holder however that dies: flock on a file in the data directory."""

import fcntl
import os
import time
from pathlib import Path

RETRY_SECONDS = 0.1


class FileLock:
    """One attempt at holding the lock; each object has its own, threads of one process exclude each other too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None

    def take(self, *, wait_seconds: float = 0) -> bool:
        """True when it is ours now. False when another held it for the whole wait."""
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    return False
                time.sleep(RETRY_SECONDS)
            else:
                self._descriptor = descriptor
                return True

    def release(self) -> None:
        """Quiet when it is not held. The file stays: removing it would let two hold "the" lock."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
