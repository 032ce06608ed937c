"""uvicorn's websockets, for `--ws`: an end is an end, and what a client sends wrong is no fault of ours in the log."""

from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

CLOSE_SECONDS = 5
INVALID_TEXT = 1007


class Protocol(WebSocketsSansIOProtocol):
    """uvicorn's own waits for ever to send what is buffered to a client that reads nothing, after the socket was closed."""

    async def run_asgi(self) -> None:
        await super().run_asgi()
        self.loop.call_later(CLOSE_SECONDS, self.transport.abort)

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
