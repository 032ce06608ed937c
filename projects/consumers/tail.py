"""The tail of what changed, followed once for all sockets of the process, and only while one of them looks."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import structlog
from django.db import DatabaseError

from projects.consumers.of_loop import OfLoop
from projects.consumers.threads import in_thread
from projects.services import feed

EVERY_SECONDS = 0.5

log = structlog.get_logger(__name__)


class Tail:
    """`version` is what `feed.version` last answered; `changed()` waits for another."""

    def __init__(self, ask: Callable[[], object] = feed.version) -> None:
        self.version: object = None
        self._ask = ask
        self._listeners = 0
        self._task: asyncio.Task[None] | None = None
        self._news = asyncio.Event()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator["Tail"]:
        self._listeners += 1
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._follow())
        try:
            yield self
        finally:
            self._listeners -= 1
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    async def changed(self, seconds: float) -> None:
        """Returns at the next change, or after so long."""
        news = self._news
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await news.wait()

    async def _follow(self) -> None:
        while True:
            try:
                version = await in_thread(self._ask)
            except DatabaseError:
                log.exception("tail.failed")  # asked again below
            else:
                if version != self.version:
                    self.version = version
                    self._news.set()
                    self._news = asyncio.Event()
            await asyncio.sleep(EVERY_SECONDS)


tail = OfLoop(Tail)
