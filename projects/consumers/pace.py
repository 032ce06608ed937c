"""How often a terminal's small output is sent: for eyes thirty times a second is enough, for a typed key's echo nothing is.

Where very many print, all of them share what one process can send beside the keys.
"""

import asyncio
import random
import time

FRAME_SECONDS = 1 / 30
MOST_A_SECOND = 500
"""So many small outputs of all terminals together; each costs the event loop some tens of microseconds."""
AT_ONCE_SECONDS = 0.3
"""So long after a key output is sent as it comes."""
BULK_BYTES = 4096
"""So much output comes in few pieces by itself."""


class Pace:
    """A hundred terminals that print lines would otherwise be thousands of messages a second, and every key waits behind them."""

    _resting = 0
    """How many of the process print: between two small outputs each of them rests."""

    def __init__(self) -> None:
        self._rest: asyncio.Future[None] | None = None
        self._at_once_until = 0.0

    def typed(self) -> None:
        self._at_once_until = time.monotonic() + AT_ONCE_SECONDS
        self._wake()

    def rests_after(self, size: int) -> bool:
        """Whether `size` bytes, which were sent, were so few that more of it should come before the next are."""
        return size < BULK_BYTES and time.monotonic() >= self._at_once_until

    async def rest(self) -> None:
        """Until more output is worth a message, or a key comes."""
        loop = asyncio.get_running_loop()
        self._rest = loop.create_future()
        Pace._resting += 1
        timer = loop.call_later(_uneven(max(FRAME_SECONDS, Pace._resting / MOST_A_SECOND)), self._wake)
        try:
            await self._rest
        finally:
            timer.cancel()
            Pace._resting -= 1

    def _wake(self) -> None:
        if self._rest is not None and not self._rest.done():
            self._rest.set_result(None)


def _uneven(seconds: float) -> float:
    """Or many that rest would fall into step, and come all at once."""
    return seconds * random.uniform(0.6, 1.4)  # noqa: S311  # no secret
