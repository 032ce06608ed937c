"""The ways to a shell in a container that are compared, each as a pipe of bytes: the hub's socket, a raw exec, terminado."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator
from typing import Any, Protocol

import docker
import websockets

OPEN_SECONDS = 120


class Pipe(Protocol):
    async def send(self, data: bytes) -> None: ...

    async def read(self) -> bytes: ...


class HubPipe:
    """The terminal socket; what is no output of the terminal is passed over, an `error` raises."""

    def __init__(self, line: websockets.ClientConnection) -> None:
        self._line = line

    async def send(self, data: bytes) -> None:
        await self._line.send(data)

    async def read(self) -> bytes:
        while True:
            message = await self._line.recv()
            if isinstance(message, bytes):
                return message
            if json.loads(message)["type"] == "error":
                raise AssertionError(message)

    async def until_ready(self) -> dict[str, object]:
        while True:
            message = await self._line.recv()
            if isinstance(message, str):
                said: dict[str, object] = json.loads(message)
                if said["type"] == "ready":
                    return said
                raise AssertionError(message)


class TerminadoPipe:
    def __init__(self, line: websockets.ClientConnection) -> None:
        self._line = line

    async def send(self, data: bytes) -> None:
        await self._line.send(json.dumps(["stdin", data.decode()]))

    async def read(self) -> bytes:
        while True:
            kind, *rest = json.loads(await self._line.recv())
            if kind == "stdout":
                return str(rest[0]).encode()


class RawPipe:
    """What `docker exec -it` does, without the CLI."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def read(self) -> bytes:
        data = await self._reader.read(65536)
        if not data:
            raise AssertionError("The raw exec ended.")
        return data


@contextlib.asynccontextmanager
async def hub_terminal(port: int, key: str, slug: str, session: str) -> AsyncIterator[HubPipe]:
    address = f"ws://127.0.0.1:{port}/ws/projects/{slug}/terminal/?session={session}"
    async with _hub(address, port, key) as line:
        pipe = HubPipe(line)
        async with asyncio.timeout(OPEN_SECONDS):
            await pipe.until_ready()
        yield pipe


@contextlib.asynccontextmanager
async def hub_commands(port: int, key: str, slug: str) -> AsyncIterator[websockets.ClientConnection]:
    async with _hub(f"ws://127.0.0.1:{port}/ws/projects/{slug}/commands/", port, key) as line:
        yield line


def _hub(address: str, port: int, key: str) -> websockets.connect:
    origin = websockets.Origin(f"http://127.0.0.1:{port}")
    headers = {"Authorization": f"Bearer {key}"}
    return websockets.connect(
        address, origin=origin, additional_headers=headers, max_size=None, compression=None, open_timeout=OPEN_SECONDS
    )


@contextlib.asynccontextmanager
async def terminado(port: int, where: str) -> AsyncIterator[TerminadoPipe]:
    """`where` is local or exec."""
    async with websockets.connect(f"ws://127.0.0.1:{port}/{where}", max_size=None, compression=None) as line:
        yield TerminadoPipe(line)


@contextlib.asynccontextmanager
async def raw_exec(client: docker.APIClient, container: str, *command: str) -> AsyncIterator[RawPipe]:
    made = client.exec_create(container, list(command), stdin=True, tty=True, user="claude", environment={"TERM": "xterm-256color"})
    stream: Any = client.exec_start(made["Id"], tty=True, socket=True)
    wire: socket.socket = stream._sock
    wire.setblocking(False)
    reader, writer = await asyncio.open_connection(sock=wire)
    client.exec_resize(made["Id"], height=24, width=80)
    try:
        yield RawPipe(reader, writer)
    finally:
        writer.close()
        stream.close()
