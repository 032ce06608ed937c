"""uvicorn's websockets, for `--ws`: an end is an end, and what a client sends wrong is no fault of ours in the log."""

import socket
import struct
from asyncio import TimerHandle
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CLOSE_SECONDS = 5
INVALID_TEXT = 1007


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's own waits for ever to send what is buffered to a client that reads nothing, after the socket was closed."""

    _last_resort: TimerHandle | None = None

    async def run_asgi(self) -> None:
        await super().run_asgi()
        if not self.disconnected:
            self._last_resort = self.loop.call_later(CLOSE_SECONDS, self._drop)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._last_resort is not None:
            self._last_resort.cancel()
        super().connection_lost(exc)

    def _drop(self) -> None:
        """With a reset: the kernel, too, would keep megabytes for it, for minutes."""
        self.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.transport.abort()

    def send_receive_event_to_app(self) -> None:
        """Text that is no UTF-8 closes with 1007, as the protocol has it; uvicorn's own logs a traceback for it."""
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(b"".join(self.frames)):
            self.frames = []
            self.conn.send_close(INVALID_TEXT)
            self.handle_parser_exception()
            return
        super().send_receive_event_to_app()


def _is_text(data: Any) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True
