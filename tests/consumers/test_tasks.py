"""What a socket does beside reading: whatever of it fails ends the socket, and a slow database holds up no terminal."""

import asyncio
import json
import threading
from typing import Any, cast

import pytest
from django.db import DatabaseError

from projects.consumers import uses
from projects.consumers.base import Socket
from projects.consumers.terminal import TerminalConsumer
from tests.support import wait_until

SECONDS = 20


class Client:
    """The other end of a socket, as ASGI has it."""

    def __init__(self) -> None:
        self.given: asyncio.Queue[dict[str, object]] = asyncio.Queue()
        self.given.put_nowait({"type": "websocket.connect"})
        self.got: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def next(self, kind):
        async with asyncio.timeout(SECONDS):
            while (message := await self.got.get())["type"] != kind:
                pass
            return message

    async def output(self):
        while True:
            if data := (await self.next("websocket.send")).get("bytes"):
                return data


def served(kind, client):
    scope = {"path": "/ws/", "query_string": b"", "headers": [], "url_route": {"kwargs": {"slug": "demo"}}}
    return asyncio.create_task(kind(scope, client.given.get, client.got.put).serve())


class Faulty(Socket):
    def _check(self, permission=None):
        pass

    async def on_message(self, message):
        self.start(self._fail())

    async def _fail(self):
        raise ZeroDivisionError


async def test_a_task_that_is_started_late_and_fails_ends_the_socket():
    client = Client()
    serving = served(Faulty, client)
    client.given.put_nowait({"type": "websocket.receive", "text": json.dumps({"type": "any"})})
    assert (await client.next("websocket.close"))["code"] == 1011
    await serving


class Shell:
    """A terminal that says each key twice."""

    session, persistent = "main", True

    def __init__(self) -> None:
        self.typed: asyncio.Queue[bytes] = asyncio.Queue()

    async def open(self):
        pass

    async def write(self, data):
        await self.typed.put(data)

    async def read(self):
        return await self.typed.get() * 2

    async def close(self):
        pass


class Echo(TerminalConsumer):
    project = cast(Any, type("Demo", (), {"slug": "demo", "pk": 7}))

    def _check(self, permission=None):
        self.may_operate = True

    async def opened(self):
        self.terminal = cast(Any, Shell())
        self.start(self._show())
        self.start(self._type())


@pytest.mark.parametrize("fails", [False, True])
async def test_keys_and_output_go_on_while_the_database_is_slow_or_fails(monkeypatch, fails):
    free, asked = threading.Event(), []

    def note_uses(noted):
        asked.append(noted)
        assert free.wait(SECONDS)
        if fails:
            raise DatabaseError

    monkeypatch.setattr(uses, "note_uses", note_uses)
    monkeypatch.setattr(uses, "EVERY_SECONDS", 0)
    client = Client()
    serving = served(Echo, client)
    try:
        for key in (b"a", b"b", b"c"):
            client.given.put_nowait({"type": "websocket.receive", "bytes": key})
            assert await client.output() == key * 2
        await asyncio.to_thread(wait_until, lambda: len(asked) >= 1, SECONDS, reason="the first use is noted")
        assert len(asked) == 1  # one at a time
    finally:
        free.set()
    client.given.put_nowait({"type": "websocket.receive", "bytes": b"d"})
    assert await client.output() == b"dd"
    client.given.put_nowait({"type": "websocket.disconnect"})
    await client.next("websocket.close")
    await serving
    await asyncio.to_thread(wait_until, lambda: len(asked) >= 2, SECONDS, reason="what came meanwhile is noted together")
    assert {(7, "main", False), (7, "main", True)} <= asked[0] | asked[1]
