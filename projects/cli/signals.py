"""Ctrl-C, a closed terminal and a polite kill, wherever the command line waits: noted, and raised only where that is safe."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self


class Signalled(Exception):
    """Ctrl-C, a closed terminal or a polite kill; `status` is what to exit with."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.status = 128 + number


class Signals:
    """While entered, signals are noted; inside `raising` they also interrupt, even a write that is held up."""

    def __init__(self) -> None:
        self._noted: int | None = None
        self._raises = False
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def status(self) -> int | None:
        """What to exit with, once one came that was not raised."""
        return None if self._noted is None else 128 + self._noted

    @contextmanager
    def raising(self) -> Iterator[None]:
        """One that came before is raised now. Raises Signalled, once for each signal."""
        self._raises = True
        try:
            if self._noted is not None:
                self._handle(self._noted, None)
            yield
        finally:
            self._raises = False

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self._noted = number
        if self._raises:
            self._noted, self._raises = None, False
            raise Signalled(number)
