"""When terminals were typed into and when they printed, written for all of them together and beside them.

No key and no output waits for a database that is being written to, and a hundred terminals are no hundred writes.
"""

import asyncio

import structlog
from django.db import DatabaseError

from projects.consumers.of_loop import OfLoop
from projects.consumers.threads import in_thread
from projects.services.terminals import Use, note_uses

EVERY_SECONDS = 10

log = structlog.get_logger(__name__)


class Uses:
    """The first is written at once, those that come meanwhile with the next round."""

    def __init__(self) -> None:
        self._waiting: set[Use] = set()
        self._task: asyncio.Task[None] | None = None

    def note(self, use: Use) -> None:
        self._waiting.add(use)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                noted, self._waiting = self._waiting, set()
                try:
                    await in_thread(lambda noted=noted: note_uses(noted))  # type: ignore[misc]
                except DatabaseError:  # the terminals go on; their next use is noted with the next round
                    log.warning("terminal.use_not_noted", exc_info=True)
                await asyncio.sleep(EVERY_SECONDS)
        finally:
            self._task = None  # whatever ended it, the next use begins another


uses = OfLoop(Uses)
