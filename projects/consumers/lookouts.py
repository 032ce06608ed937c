"""One look into the database for all sockets that ask the same at about the same time.

A look takes the interpreter from the event loop for milliseconds, again and again: with one for each of a hundred terminals
every twentieth key waited for 20 ms (measured).
"""

import asyncio
import time
from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from projects.consumers.of_loop import OfLoop
from projects.consumers.threads import in_thread

T = TypeVar("T")


class Lookouts:
    def __init__(self) -> None:
        self._looks: dict[Hashable, tuple[float, asyncio.Task[Any]]] = {}

    async def found(self, key: Hashable, look: Callable[[], T], *, not_older: float) -> T:
        """What `look` gave whoever asked by this key at most so many seconds ago; else it looks. Raises what it raises."""
        now = time.monotonic()
        began, task = self._looks.get(key, (now, None))
        if task is None or now - began > not_older:
            task = asyncio.get_running_loop().create_task(in_thread(look))
            task.add_done_callback(_heard)
            self._looks = {other: known for other, known in self._looks.items() if now - known[0] <= not_older}
            self._looks[key] = (now, task)
        answer: T = await asyncio.shield(task)
        return answer


def _heard(task: asyncio.Task[Any]) -> None:
    """Whoever asked may be gone by now: what went wrong is no news to asyncio then."""
    if not task.cancelled():
        task.exception()


lookouts = OfLoop(Lookouts)
