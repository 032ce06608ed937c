"""The end of a terminal's socket: its tmux client goes at a key of the hub's own, and only one that stays is ended by its marker."""

import asyncio
import time

import pytest

from projects.services.terminals.attach import ARRIVES_WITHIN_SECONDS, Typing
from tests.consumers.talk import connect, said, until
from tests.support import wait_until

SCAN = b"/environ"
"""What the exec that ends processes by their marker looks through."""


@pytest.fixture
def later(monkeypatch):
    clock = [1000.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])

    def go_on():
        clock[0] += ARRIVES_WITHIN_SECONDS + 0.1

    return go_on


def test_keys_rest_once_they_have_had_time_to_arrive(later):
    typing = Typing()
    assert typing.rests
    typing.typed(b"ls\r")
    assert not typing.rests
    later()
    assert typing.rests


@pytest.mark.parametrize("pieces", [[b"\x1b[200~half"], [b"a\x1b[20", b"0~half of it"], [b"\x1b[200~a\x1b[201~", b"\x1b[200", b"~"]])
def test_half_a_paste_never_rests_and_a_whole_one_does(later, pieces):
    typing = Typing()
    for piece in pieces:
        typing.typed(piece)
    later()
    assert not typing.rests
    for piece in (b"the rest\x1b[2", b"01~"):
        typing.typed(piece)
    later()
    assert typing.rests


def scans(hub, since):
    """The execs since then that looked through the processes."""
    events = hub.container.client.api.events(
        since=since, until=time.time(), filters={"container": hub.container.id, "event": "exec_create"}
    )
    return [event for event in events if SCAN in event]


async def detached(hub, session):
    await asyncio.to_thread(wait_until, lambda: not hub.clients(session), 20, reason="the client is detached")


async def tmux(hub, *words):
    return (await asyncio.to_thread(hub.run, "tmux", "-L", "hub", *words)).strip()


MODES = {
    "in its shell": ("", []),
    "scrolled back": ("copy-mode", [("set-option", "-w", "mode-keys", "emacs"), ("copy-mode",)]),
    "scrolled back, vi": ("copy-mode", [("set-option", "-w", "mode-keys", "vi"), ("copy-mode",)]),
    "in a list": ("tree-mode", [("choose-tree",)]),
}


@pytest.mark.live
@pytest.mark.parametrize(("mode", "commands"), MODES.values(), ids=MODES)
async def test_the_client_goes_without_a_look_through_the_processes_and_nothing_is_typed(hub, mode, commands):
    async with connect(hub, "web/terminal/?session=leaves") as socket:
        await said(socket, "ready")
        await until(socket, b"$")
        for command in commands:
            await tmux(hub, command[0], "-t", "leaves:", *command[1:])
        assert await tmux(hub, "display-message", "-p", "-t", "leaves:", "#{pane_mode}") == mode
        await asyncio.sleep(ARRIVES_WITHIN_SECONDS + 0.2)
        began = time.time()
    await detached(hub, "leaves")
    assert await asyncio.to_thread(scans, hub, began) == []
    if mode:
        await tmux(hub, "copy-mode", "-q", "-t", "leaves:")
    assert "9127" not in await tmux(hub, "capture-pane", "-p", "-t", "leaves:")


@pytest.mark.live
async def test_one_whose_program_prints_without_end_goes_too(hub):
    async with connect(hub, "web/terminal/?session=floods") as socket:
        await said(socket, "ready")
        await socket.send(b"yes flo''od\r")
        await until(socket, b"flood")
        await asyncio.sleep(ARRIVES_WITHIN_SECONDS + 0.2)  # nobody reads meanwhile, and the hub is held back
        began = time.time()
    await detached(hub, "floods")
    assert await asyncio.to_thread(scans, hub, began) == []
    await tmux(hub, "kill-session", "-t", "floods")


@pytest.mark.live
async def test_who_only_watches_goes_too(hub):
    async with connect(hub, "web/terminal/?session=watched") as socket:
        await said(socket, "ready")
        began = time.time()
        async with connect(hub, "web/terminal/?session=watched", who="viewer") as watcher:
            await said(watcher, "ready")
        await asyncio.to_thread(wait_until, lambda: len(hub.clients()) == 1, 20, reason="the watcher is detached, and who types is not")
        assert await asyncio.to_thread(scans, hub, began) == []


@pytest.mark.live
async def test_one_that_does_not_hear_the_key_is_ended_by_its_marker(hub):
    async with connect(hub, "web/terminal/?session=deaf") as socket:
        await said(socket, "ready")
        (client,) = hub.clients("deaf")
        # tmux asks who sits there something, and takes every key as an answer
        await tmux(hub, "command-prompt", "-b", "-t", client.split()[1])
        await asyncio.sleep(ARRIVES_WITHIN_SECONDS + 0.2)
        began = time.time()
    await detached(hub, "deaf")
    assert await asyncio.to_thread(scans, hub, began)
