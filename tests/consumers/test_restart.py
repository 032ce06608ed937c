"""A web process that is stopped, or killed, while its sockets are open; no watcher helps here."""

import asyncio
import json
import signal

import pytest

from tests.consumers.talk import connect, said, the_close, until
from tests.support import wait_until

pytestmark = pytest.mark.live


def test_a_stopped_hub_closes_its_sockets_with_1012_and_leaves_no_client(hub):
    mine = hub.beside()

    async def interrupted():
        async with connect(mine, "web/terminal/?session=stopped") as terminal, connect(mine, "web/commands/") as commands:
            await said(terminal, "ready")
            await commands.send(json.dumps({"type": "run", "command": "yes; true"}))
            await said(commands, "position")
            server.send_signal(signal.SIGTERM)
            for socket in (terminal, commands):
                assert await the_close(socket) == 1012

    with mine.serving() as server:
        asyncio.run(interrupted())
        server.wait(20)
    wait_until(lambda: not hub.clients("stopped"), 5, reason="the stopping hub detaches its clients itself")
    assert "Traceback" not in mine.story()
    kill = (
        "from projects.services.commands import kill_command\nfor run in CommandRun.objects.filter(command='yes; true'): kill_command({})"
    )
    hub.box.python(kill.format("run=run, actor=ACTOR"))
    assert not [line for line in hub.run("ps", "-eo", "args").splitlines() if line == "yes"]


def test_the_start_after_a_kill_detaches_the_clients_and_the_shell_with_its_variables_is_there(hub):
    mine = hub.beside()

    async def type_and_kill():
        async with connect(mine, "web/terminal/?session=survivor&cols=90&rows=20") as socket:
            await said(socket, "ready")
            await socket.send(b"word=survived; echo set-$((1+1))\r")
            await until(socket, b"set-2")
            server.kill()
            assert await the_close(socket) == 1006

    async def look():
        async with connect(mine, "web/terminal/?session=survivor&cols=90&rows=20") as socket:
            await said(socket, "ready")
            await socket.send(b"echo $word-$((40+2))\r")
            await until(socket, b"survived-42")

    with mine.serving() as server:
        asyncio.run(type_and_kill())
    assert hub.clients("survivor"), "a killed hub leaves its client attached: else this proves nothing"
    with mine.serving():
        wait_until(lambda: not hub.clients("survivor"), 30, reason="the orphan is detached at start")
        asyncio.run(look())
