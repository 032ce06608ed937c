"""How much may be under way to a client that confirms what it has drawn."""

import asyncio

HIGH_BYTES, LOW_BYTES = 256 * 1024, 64 * 1024


class Flow:
    """Without `confirms` it never holds: the socket's own back-pressure does."""

    def __init__(self, *, confirms: bool) -> None:
        self._confirms = confirms
        self._unconfirmed = 0
        self._free = asyncio.Event()
        self._free.set()

    def sent(self, size: int) -> None:
        if self._confirms:
            self._unconfirmed += size
            if self._unconfirmed >= HIGH_BYTES:
                self._free.clear()

    def confirmed(self, size: int) -> None:
        self._unconfirmed = max(0, self._unconfirmed - size)
        if self._unconfirmed <= LOW_BYTES:
            self._free.set()

    async def room(self, seconds: float) -> None:
        """Raises TimeoutError when the client has confirmed nothing that helps for so long."""
        while not self._free.is_set():
            before = self._unconfirmed
            try:
                await asyncio.wait_for(self._free.wait(), seconds)
            except TimeoutError:
                if self._unconfirmed >= before:
                    raise
