"""Reading that is held for a moment: nothing comes meanwhile, all of it afterwards, and the reader's own limit stands."""

import asyncio
import contextlib
import socket

import pytest
import uvloop

from projects.engine.valve import streams_over

LIMIT = 64 * 1024


@contextlib.asynccontextmanager
async def pair():
    """A reader, and the socket that it reads from."""
    ours, theirs = socket.socketpair()
    for sock in (ours, theirs):
        sock.setblocking(False)
    reader, writer = await streams_over(ours, limit=LIMIT, tls=None, host=None)
    try:
        yield reader, writer, theirs
    finally:
        writer.close()
        theirs.close()


async def nothing_comes(reader):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await reader.read(LIMIT)


async def what_is_held_comes_afterwards_as_one():
    async with pair() as (reader, _, theirs):
        theirs.send(b"before")
        assert await reader.read(LIMIT) == b"before"
        with reader.valve.held():
            theirs.send(b"one,")
            await nothing_comes(reader)
            theirs.send(b"two")
        assert await reader.read(LIMIT) == b"one,two"


async def the_end_comes_afterwards_too():
    async with pair() as (reader, _, theirs):
        with reader.valve.held():
            theirs.send(b"last words")
            theirs.shutdown(socket.SHUT_WR)
            await nothing_comes(reader)
        assert await reader.read() == b"last words"


async def a_reader_that_has_enough_stays_held_back():
    async with pair() as (reader, _, theirs):
        taken = await fill(theirs)
        with reader.valve.held():
            pass
        assert await fill(theirs) == 0
        got = 0
        while got < taken:
            got += len(await reader.read(LIMIT))
        assert got == taken  # and it reads on when it has room again


async def fill(sock):
    """How much it takes until it takes no more."""
    taken, still = 0, 0
    while still < 5:
        try:
            taken += sock.send(b"x" * LIMIT)
            still = 0
        except BlockingIOError:
            still += 1
            await asyncio.sleep(0.02)
        assert taken < 100 * LIMIT
    return taken


async def one_that_was_closed_meanwhile_is_left_alone():
    async with pair() as (reader, writer, _):
        with reader.valve.held():
            writer.close()
            await writer.wait_closed()


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])
@pytest.mark.parametrize(
    "what",
    [
        what_is_held_comes_afterwards_as_one,
        the_end_comes_afterwards_too,
        a_reader_that_has_enough_stays_held_back,
        one_that_was_closed_meanwhile_is_left_alone,
    ],
)
def test_a_valve(run, what):
    run(what())
