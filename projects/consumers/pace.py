"""How often a terminal's small output is sent: for eyes thirty times a second is enough, for a typed key's echo nothing is."""

import asyncio
import random
import time

FRAME_SECONDS = 1 / 30
AT_ONCE_SECONDS = 0.3
"""So long after a key output is sent as it comes."""
BULK_BYTES = 4096
"""So much output comes in few pieces by itself."""


class Pace:
    """A hundred terminals that print lines would otherwise be thousands of messages a second, and every key waits behind them."""

    def __init__(self) -> None:
        self._typed = asyncio.Event()
        self._at_once_until = 0.0

    def typed(self) -> None:
        self._at_once_until = time.monotonic() + AT_ONCE_SECONDS
        self._typed.set()

    async def rest(self, size: int) -> None:
        """After `size` bytes were sent: until more of it is worth a message. What comes meanwhile is sent as one."""
        if size >= BULK_BYTES or time.monotonic() < self._at_once_until:
            return
        self._typed.clear()
        try:
            async with asyncio.timeout(_uneven(FRAME_SECONDS)):
                await self._typed.wait()
        except TimeoutError:
            pass


def _uneven(seconds: float) -> float:
    """Or many that rest would fall into step, and come all at once."""
    return seconds * random.uniform(0.6, 1.4)  # noqa: S311  # no secret
