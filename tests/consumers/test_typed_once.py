"""Keys on a socket that broke: a page that names itself learns how far they came, and types the rest over its next one."""

import asyncio

import pytest

from projects.consumers.typists import Typists
from tests.consumers.talk import connect, refusal, said, until

PLACE = "web/terminal/?session=once&typist="
NAME = "a-page-of-the-tests"


def test_the_oldest_pages_are_forgotten():
    typists = Typists(most=2)
    for name in ("one", "two", "one", "three"):
        typists.taken_over((name,), object())
    assert [typists.taken_over((name,), object())[1] for name in ("one", "three", "two")] == [True, True, False]


@pytest.mark.live
async def test_what_was_taken_is_told_on_the_next_socket_too(hub):
    async with connect(hub, PLACE + NAME) as first:
        assert await said(first, "taken") == {"type": "taken", "bytes": 0, "known": False}
        await said(first, "ready")
        await first.send(b"echo on''ce")
        assert await said(first, "taken") == {"type": "taken", "bytes": 11, "known": True}
    async with connect(hub, PLACE + NAME) as second:
        assert await said(second, "taken") == {"type": "taken", "bytes": 11, "known": True}
        await second.send(b"\r")
        assert b"onceecho" not in await until(second, b"once", after=b"/workspace")
    async with connect(hub, PLACE + "another-page-of-the-tests") as other:
        assert await said(other, "taken") == {"type": "taken", "bytes": 0, "known": False}


@pytest.mark.live
async def test_a_socket_whose_page_came_back_on_another_types_no_more(hub):
    async with connect(hub, PLACE + NAME + "-2") as old:
        await said(old, "ready")
        async with connect(hub, PLACE + NAME + "-2") as new:
            await said(new, "ready")
            await old.send(b"echo from the o''ld\r")
            await asyncio.wait_for(old.wait_closed(), 30)
            await new.send(b"echo from the n''ew\r")
            assert b"from the old" not in await until(new, b"from the new")


@pytest.mark.live
@pytest.mark.parametrize("name", ["short", "x" * 65, "with%20a%20space%20in%20it"])
async def test_a_name_that_is_none_is_refused(hub, name):
    async with connect(hub, PLACE + name) as socket:
        assert await refusal(socket) == ("error", 4400)


@pytest.mark.live
async def test_who_only_watches_types_nothing_under_any_name(hub):
    async with connect(hub, PLACE + NAME + "-3") as typing, connect(hub, PLACE + NAME + "-3", who="viewer") as watcher:
        await said(typing, "ready")
        await said(watcher, "ready")
        await typing.send(b"echo se''en\r")
        await until(watcher, b"seen")
