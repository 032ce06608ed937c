"""A web process that is killed while 200 MB stream and a terminal is open: whatever had arrived stands, and the rest is told truly."""

import asyncio
import contextlib
import json
import subprocess
from uuid import UUID

import pytest
import websockets

from projects.services.spool import split_frames
from tests.consumers.served import Served
from tests.consumers.talk import connect, said, the_end, until
from tests.processes.stack import kill
from tests.support import wait_until

pytestmark = pytest.mark.live

LINES = 23_600_000
ALL_BYTES = 201_288_897
KILL_AT_BYTES = 30_000_000
COMMAND = f"""
seq 1 {LINES}
until [ -e /tmp/may-end ]; do sleep 0.1; done
exit 42
"""
TOKEN = """
    from django.contrib.auth import get_user_model
    from projects.services.tokens import make_token
    answer([Project.objects.get().slug, make_token(user=get_user_model().objects.get(username="admin"), name="live", actor=ACTOR)[1]])
"""
ROW = """
    row = CommandRun.objects.get(command__contains="may-end")
    answer({name: getattr(row, name) for name in ("state", "exit_code", "message", "output_bytes")})
"""


async def test_a_killed_web_process_loses_no_byte_that_had_arrived_no_shell_and_no_truth(stack):
    slug, key = await asyncio.to_thread(stack.box.python, TOKEN)
    hub = Served(stack.box, stack.port, {"operator": key}, slug)
    terminal = f"{slug}/terminal/?session=kept&cols=90&rows=20"
    async with connect(hub, f"{slug}/commands/") as commands, connect(hub, terminal) as shell:
        await said(shell, "ready")
        await shell.send(b"word=kept-through; echo set-$((1+1))\r")
        await until(shell, b"set-2")
        await commands.send(json.dumps({"type": "run", "command": COMMAND, "timeout": 600}))
        spool = stack.box.data_dir / "runs" / UUID((await said(commands, "started"))["run_id"]).hex
        received = await output(commands, enough=lambda: spool.stat().st_size > KILL_AT_BYTES)
        killed = stack.program("web")
        kill(killed)
        assert hub.clients(), "a killed process leaves its client attached: else this proves nothing"
        received += await output(commands)
    assert received
    await asyncio.to_thread(wait_until, lambda: stack.program("web") not in (None, killed) and stack.is_ready(), 60, reason=stack.story)

    await asyncio.to_thread(wait_until, lambda: stack.box.python(ROW)["state"] != "running", 60, reason="the run is found")
    row = stack.box.python(ROW)
    assert (row["state"], row["exit_code"], row["output_bytes"]) == ("interrupted", None, spool.stat().st_size)
    assert "still running" in row["message"]
    spooled = payload(spool)
    assert KILL_AT_BYTES < len(spooled) < ALL_BYTES
    assert spooled.startswith(received)
    assert is_what_seq_prints(spooled)

    await asyncio.to_thread(wait_until, lambda: not hub.clients(), 60, reason="the old client is detached")
    async with connect(hub, terminal) as shell:
        await said(shell, "ready")
        await shell.send(b"echo $word-$((40+2))\r")
        await until(shell, b"kept-through-42")

    hub.run("touch", "/tmp/may-end")
    await asyncio.to_thread(wait_until, lambda: stack.box.python(ROW)["exit_code"] is not None, 90, reason="the leader's file is read")
    row = stack.box.python(ROW)
    assert (row["state"], row["exit_code"]) == ("interrupted", 42)
    assert row["message"].endswith("that is lost. It ended with exit code 42.")
    async with connect(hub, f"{slug}/commands/") as commands:
        await commands.send(json.dumps({"type": "attach", "run_id": str(UUID(spool.name))}))
        out, _err, end = await the_end(commands)
    assert (out == spooled, end["exit_code"], end["state"]) == (True, 42, "interrupted")


async def output(socket, *, enough=lambda: False):
    """What the command printed, until that is enough or the socket is gone."""
    seen = bytearray()
    with contextlib.suppress(websockets.ConnectionClosed):
        while not enough():
            message = await asyncio.wait_for(socket.recv(), 60)
            seen += message[1:] if isinstance(message, bytes) else b""
    return bytes(seen)


def payload(path):
    data = path.read_bytes()
    frames, used = split_frames(data)
    assert used == len(data), "the spool is whole frames"
    return b"".join(part for _stream, part in frames)


def is_what_seq_prints(data):
    """Compared with the same program's output here."""
    with subprocess.Popen(["seq", "1", str(LINES)], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        same = program.stdout.read(len(data)) == data
        program.kill()
    return same
