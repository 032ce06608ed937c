"""Tells a command that is quiet from an Engine that hangs: a ping on the side, while a stream says nothing."""

import threading
import time

from projects.engine.dial import Address, answers

FAILURES = 2


class Silence:
    """Used by one reader: `heard` at each output, `hung` while waiting. It never blocks; pings have threads of their own."""

    def __init__(self, address: Address, silence_seconds: float, ping_timeout_seconds: float) -> None:
        self._address = address
        self.silence_seconds = silence_seconds
        self._ping_timeout_seconds = ping_timeout_seconds
        self._failures = 0
        self._next_ping = time.monotonic() + silence_seconds
        self._ping: _Ping | None = None

    def heard(self) -> None:
        """The stream gave something, so the Engine lives."""
        self._failures = 0
        self._next_ping = time.monotonic() + self.silence_seconds

    def hung(self) -> bool:
        """Whether two pings in a row had no answer. Starts the next ping when it is due."""
        if self._ping is not None:
            if self._ping.is_alive():
                return False
            if self._ping.answered:
                self.heard()
            else:
                self._failures += 1
                self._next_ping = time.monotonic()
            self._ping = None
        if self._failures >= FAILURES:
            return True
        if time.monotonic() >= self._next_ping:
            self._ping = _Ping(self._address, self._ping_timeout_seconds)
            self._ping.start()
        return False


class _Ping(threading.Thread):
    def __init__(self, address: Address, timeout_seconds: float) -> None:
        super().__init__(name="engine-ping", daemon=True)
        self._address = address
        self._timeout_seconds = timeout_seconds
        self.answered = False

    def run(self) -> None:
        self.answered = answers(self._address, self._timeout_seconds)
