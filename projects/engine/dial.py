"""Raw connections to the Engine, for streams that leave HTTP behind ("hijacked" ones).

Every way ends in one socket: a unix or TCP socket, the same under TLS, or for ssh a socket pair whose
other end is stdin and stdout of `ssh … docker system dial-stdio`, which is how the docker CLI does it.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import subprocess
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

from projects.engine.errors import ConnectionLost, EngineError, EngineUnreachable, NoSuchObject, Refused, WrongState
from projects.engine.valve import Reader, streams_over

CONNECT_SECONDS = 10
HEAD_LIMIT_BYTES = 64 * 1024


class Address(Protocol):
    """What is needed of a connection in order to dial."""

    @property
    def base_url(self) -> str: ...

    @property
    def tls(self) -> ssl.SSLContext | None: ...

    def api_version(self) -> str: ...


@dataclass
class Wire:
    """A connected socket and, for ssh, the process behind it."""

    sock: socket.socket
    host: str = ""
    process: "subprocess.Popen[bytes] | None" = None

    def close(self) -> None:
        self.sock.close()
        self.reap()

    def reap(self) -> None:
        """End and collect the ssh process; quiet where there is none. May take a moment."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(2)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def dial(address: Address) -> Wire:
    """Connect, without TLS yet. Raises EngineUnreachable."""
    url = urlsplit(address.base_url)
    try:
        if url.scheme in ("unix", "http+unix"):
            return _dial_unix(url.netloc + url.path)
        if url.scheme == "ssh":
            return _dial_ssh(url.hostname or "", url.username, url.port)
        if url.scheme in ("tcp", "http", "https"):
            host = url.hostname or "127.0.0.1"
            port = url.port or (2376 if address.tls else 2375)
            sock = socket.create_connection((host, port), timeout=CONNECT_SECONDS)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            return Wire(sock, host)
    except (OSError, subprocess.SubprocessError) as error:
        raise EngineUnreachable(f"The Docker Engine at {address.base_url} does not answer ({error}); is it running?") from error
    raise EngineUnreachable(f"The Engine's address {address.base_url!r} is none that can be dialled; use unix://, tcp:// or ssh://.")


def dial_secured(address: Address) -> Wire:
    """Connect, with TLS where the address has it; for synchronous use. Raises EngineUnreachable."""
    wire = dial(address)
    if address.tls is None or not wire.host:
        return wire
    try:
        return Wire(address.tls.wrap_socket(wire.sock, server_hostname=wire.host), wire.host)
    except OSError as error:
        wire.close()
        raise EngineUnreachable(f"TLS with the Docker Engine at {address.base_url} failed ({error}); check the certificates.") from error


async def open_streams(address: Address, wire: Wire, *, limit: int) -> tuple[Reader, asyncio.StreamWriter]:
    """Asyncio streams over a dialled wire; the reader holds back the Engine beyond twice `limit` bytes."""
    secured = bool(address.tls and wire.host)
    wire.sock.setblocking(False)
    try:
        return await streams_over(wire.sock, limit=limit, tls=address.tls if secured else None, host=wire.host if secured else None)
    except OSError as error:
        raise EngineUnreachable(f"The Docker Engine at {address.base_url} broke the connection ({error}); try again.") from error


def _dial_unix(path: str) -> Wire:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.settimeout(CONNECT_SECONDS)
        sock.connect(path)
    except OSError:
        sock.close()
        raise
    return Wire(sock)


def _dial_ssh(host: str, user: str | None, port: int | None) -> Wire:
    command = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={CONNECT_SECONDS}", "-T"]
    command += ["-l", user] if user else []
    command += ["-p", str(port)] if port else []
    ours, theirs = socket.socketpair()
    try:
        process = subprocess.Popen(
            [*command, "--", host, "docker", "system", "dial-stdio"],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=subprocess.DEVNULL,
        )
    except OSError:
        ours.close()
        raise
    finally:
        theirs.close()
    return Wire(ours, process=process)


# -- the little HTTP that comes before ---------------------------------------------------------


def upgrade_request(address: Address, path: str, body: dict[str, Any]) -> bytes:
    """The request that turns an HTTP connection into a raw one."""
    content = json.dumps(body).encode()
    head = (
        f"POST /v{address.api_version()}{path} HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
    )
    return head.encode() + content


class Head:
    """The head of the answer to an upgrade. It keeps what was fed until the head is whole; what came with
    its last bytes is handed back, since it belongs to the stream."""

    def __init__(self) -> None:
        self.status = 0
        self.body_bytes: int | None = None
        self._buffer = bytearray()

    def feed(self, data: memoryview) -> memoryview | None:
        """None until the head is whole, then the bytes after it. Raises ConnectionLost on what is no HTTP."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > HEAD_LIMIT_BYTES:
                raise ConnectionLost("The Engine's answer is no HTTP; check its address.")
            return None
        head = bytes(self._buffer[:end])
        self.status = _status(head)
        self.body_bytes = _content_length(head)
        return memoryview(bytes(self._buffer[end + 4 :]))

    @property
    def upgraded(self) -> bool:
        return self.status in (101, 200)


def _status(head: bytes) -> int:
    words = head.split(b"\r\n", 1)[0].split(b" ")
    if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
        raise ConnectionLost("The Engine's answer is no HTTP; check its address.")
    return int(words[1])


def _content_length(head: bytes) -> int | None:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            return int(value)
    return None


def refusal(status: int, body: bytes) -> EngineError:
    """The error for an upgrade that the Engine refused; its reason stands in the body as JSON."""
    reason = body.decode("utf-8", "replace").strip()
    with contextlib.suppress(ValueError):
        # A chunked body has sizes around the JSON.
        reason = str(json.loads(reason[reason.index("{") : reason.rindex("}") + 1])["message"])
    kinds: dict[int, type[EngineError]] = {404: NoSuchObject, 409: WrongState}
    return kinds.get(status, Refused)(f"The Engine refused to start the process: {reason or f'HTTP {status}'}.")


def answers(address: Address, timeout_seconds: float) -> bool:
    """Whether the Engine answers a ping over a connection of its own in that time."""
    try:
        wire = dial_secured(address)
    except EngineUnreachable:
        return False
    try:
        wire.sock.settimeout(timeout_seconds)
        wire.sock.sendall(b"GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n")
        return bool(wire.sock.recv(1))
    except OSError:
        return False
    finally:
        wire.close()
