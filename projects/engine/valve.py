"""Asyncio streams whose reading can be held for a moment, beside the reader's own limit."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import Iterator
from typing import cast


class Valve:
    """Open while neither the reader has enough nor its user holds it. To the reader it is its transport."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._full = self._held = False

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        self._held = True
        self._transport.pause_reading()
        try:
            yield
        finally:
            self._held = False
            self._settle()

    def pause_reading(self) -> None:
        self._full = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        self._full = False
        self._settle()

    def _settle(self) -> None:
        if not (self._full or self._held or self._transport.is_closing()):
            self._transport.resume_reading()


class Reader(asyncio.StreamReader):
    """Its `valve` holds what comes; until then it stands open."""

    valve: Valve

    def set_transport(self, transport: asyncio.BaseTransport) -> None:
        self.valve = Valve(cast(asyncio.Transport, transport))
        super().set_transport(self.valve)  # type: ignore[arg-type]  # of a transport it uses these two methods


async def streams_over(
    sock: socket.socket, *, limit: int, tls: ssl.SSLContext | None, host: str | None
) -> tuple[Reader, asyncio.StreamWriter]:
    """As `asyncio.open_connection`. Raises OSError."""
    loop = asyncio.get_running_loop()
    reader = Reader(limit=limit)
    protocol = asyncio.StreamReaderProtocol(reader)
    transport, _ = await loop.create_connection(lambda: protocol, sock=sock, ssl=tls, server_hostname=host)
    return reader, asyncio.StreamWriter(transport, protocol, reader, loop)
