"""What all sockets of a process share, one for each event loop: tests run many, a web process one."""

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OfLoop(Generic[T]):
    """Called, it gives the one of the running loop, made at the first call."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: dict[asyncio.AbstractEventLoop, T] = {}

    def __call__(self) -> T:
        loop = asyncio.get_running_loop()
        if loop not in self._made:
            self._made = {other: made for other, made in self._made.items() if not other.is_closed()}
            self._made[loop] = self._make()
        return self._made[loop]
