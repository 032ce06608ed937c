"""What notifications arrive at: a real HTTP server with a script of answers, and a real SMTP server that wants a password."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ssl import SSLContext
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


@dataclass
class Receiver:
    """`answers` are the statuses of the next posts, then 200; `posts` are path, headers and body."""

    answers: list[int] = field(default_factory=list)
    posts: list[tuple[str, Message, bytes]] = field(default_factory=list)
    port: int = 0
    held: threading.Event | None = None

    def url(self, path: str = "/hook?key=not-to-be-seen", *, scheme: str = "http", host: str = "127.0.0.1") -> str:
        return f"{scheme}://{host}:{self.port}{path}"


@contextmanager
def receiver(*answers: int, tls: SSLContext | None = None) -> Iterator[Receiver]:
    found = Receiver(list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            found.posts.append((self.path, self.headers, body))
            if found.held is not None:
                found.held.wait(60)
            status = found.answers.pop(0) if found.answers else 200
            self.send_response(status)
            if status in (301, 302, 307):
                self.send_header("Location", f"http://127.0.0.1:{found.port}/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield found
    finally:
        if found.held is not None:
            found.held.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    port: int
    mails: list[Message] = field(default_factory=list)


USER, PASSWORD = "hub", "pass/word:not-to-be-seen"


@contextmanager
def smtp_server() -> Iterator[Mailbox]:
    box = Mailbox(0)

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            if not session.authenticated:
                return "530 sign in first"
            if any("refused" in address for address in envelope.rcpt_tos):
                return "550 no such mailbox"
            box.mails.append(message_from_bytes(envelope.content))
            return "250 taken"

    def authenticator(server: Any, session: Any, envelope: Any, mechanism: str, given: Any) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == (USER.encode(), PASSWORD.encode()), handled=False)

    controller = FreePort(Handler(), hostname="127.0.0.1", port=0, authenticator=authenticator, auth_require_tls=False, ready_timeout=60)
    controller.start()
    box.port = controller.port
    try:
        yield box
    finally:
        controller.stop()


class FreePort(Controller):
    """Of any free port; the base tries its own by the number it was given."""

    def _trigger_server(self) -> None:
        server: Any = self.server
        self.port = server.sockets[0].getsockname()[1]
        super()._trigger_server()
