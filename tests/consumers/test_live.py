"""The sockets as they are served: uvicorn, the real Engine, a real tmux."""

import asyncio
import hashlib
import json

import pytest
import websockets

from tests.consumers.talk import connect, refusal, run, said, sized, the_end, until
from tests.support import wait_until

pytestmark = pytest.mark.live


async def test_a_command_streams_apart_and_ends_after_its_output(hub):
    async with connect(hub, "web/commands/") as socket:
        out, err, end = await run(socket, "printf '\\342'; sleep .3; printf '\\202\\254'; echo no >&2; exit 7")
        assert (out.decode(), err, end["exit_code"], end["timed_out"], end["killed"]) == ("€", b"no\n", 7, False, False)
        assert (await run(socket, "echo again"))[0] == b"again\n"


async def test_much_output_is_exact(hub):
    command = "seq 1 2000000"
    wanted = hashlib.sha256("".join(f"{n}\n" for n in range(1, 2_000_001)).encode()).hexdigest()
    async with connect(hub, "web/commands/") as socket:
        assert hashlib.sha256((await run(socket, command))[0]).hexdigest() == wanted


async def test_a_viewer_of_a_command_goes_on_where_it_stood(hub):
    async with connect(hub, "web/commands/") as first:
        await first.send(json.dumps({"type": "run", "command": "echo one; sleep 2; echo two"}))
        run_id = (await said(first, "started"))["run_id"]
        offset = (await said(first, "position"))["offset"]
    async with connect(hub, "web/commands/", who="viewer") as second:
        await second.send(json.dumps({"type": "attach", "run_id": run_id, "offset": offset + 1}))
        assert "offset" in (await said(second, "error"))["message"]
        await second.send(json.dumps({"type": "attach", "run_id": run_id, "offset": offset}))
        assert (await the_end(second))[0] == b"two\n"
        await second.send(json.dumps({"type": "run", "command": "id"}))
        assert "operator" in (await said(second, "error"))["message"]


async def test_kill_leaves_no_process_of_the_followed_command(hub):
    async with connect(hub, "web/commands/") as socket:
        await socket.send(json.dumps({"type": "run", "command": "setsid sleep 4711 & echo on; sleep 4711"}))
        await until(socket, b"on\n")
        await socket.send(json.dumps({"type": "run", "command": "id"}))
        assert "follows" in (await said(socket, "error"))["message"]
        await socket.send(json.dumps({"type": "kill"}))
        assert (await said(socket, "exit"))["killed"] is True
    assert "4711" not in hub.run("ps", "-eo", "args")


async def test_a_terminal_outlives_its_socket_and_leaves_no_client(hub):
    async with connect(hub, "web/terminal/?session=kept&cols=91&rows=31") as socket:
        await socket.send(b"word=here-still; echo typed-$((1+1))\r")  # before `ready`
        assert (await said(socket, "ready"))["persistent"] is True
        await until(socket, b"typed-2")
        await sized(socket, b"31 91")
    wait_until(lambda: not hub.clients(), 20, reason=lambda: f"the client is detached: {hub.clients()}")
    async with connect(hub, "web/terminal/?session=kept&cols=100&rows=30") as socket:
        await said(socket, "ready")
        await socket.send(b"echo $word-$((40+2))\r")
        await until(socket, b"here-still-42")
        await sized(socket, b"30 100")
    wait_until(lambda: not hub.clients(), 20, reason="the client is detached")


async def test_who_typed_last_owns_the_size_and_a_viewer_only_watches(hub):
    async with (
        connect(hub, "web/terminal/?session=both&cols=80&rows=24") as small,
        connect(hub, "web/terminal/?session=both&cols=120&rows=40") as large,
    ):
        await said(small, "ready")
        await said(large, "ready")
        await sized(small, b"24 80")
        await sized(large, b"40 120")
        async with connect(hub, "web/terminal/?session=both&cols=60&rows=20", who="viewer") as watcher:
            assert (await said(watcher, "ready"))["read_only"] is True
            await watcher.send(b"echo forbidden\r")
            assert "watch" in (await said(watcher, "error"))["message"]
            await large.send(b"echo seen-$((1+1))\r")
            assert b"forbidden" not in await until(large, b"seen-2")
            await sized(large, b"40 120")
    wait_until(lambda: not hub.clients(), 20, reason="the clients are detached")


async def test_exit_of_the_shell_is_told(hub):
    async with connect(hub, "web/terminal/?session=short") as socket:
        await said(socket, "ready")
        await socket.send(b"exit\r")
        assert (await said(socket, "exit"))["exit_code"] == 0


@pytest.mark.parametrize("origin", ["http://127.0.0.1:31337", "https://127.0.0.1", "http://evil.example", "null"])
async def test_a_foreign_origin_gets_403_in_the_handshake(hub, origin):
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(hub, "web/terminal/", origin=origin).__aenter__()
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("kind", ["commands", "terminal"])
async def test_refusals_are_said_and_numbered(hub, kind):
    async with connect(hub, f"web/{kind}/", who="nobody") as socket:
        assert await refusal(socket) == ("error", 4401)
    async with connect(hub, f"web/{kind}/", who="stranger") as socket:
        assert await refusal(socket) == ("error", 4404)
    async with connect(hub, f"none/{kind}/") as socket:
        assert await refusal(socket) == ("error", 4404)


@pytest.mark.parametrize("message", ["", "[]", "{", '{"type": 1}', '{"type": "ack"}', '{"type": "dance"}', '{"type": "run"}'])
async def test_a_malformed_message_closes(hub, message):
    async with connect(hub, "web/commands/") as socket:
        await socket.send(message)
        assert await refusal(socket) == ("error", 4400)


async def test_a_restarted_container_is_announced_and_attached_again(hub):
    async with connect(hub, "web/terminal/?session=back") as socket:
        await said(socket, "ready")
        await asyncio.to_thread(hub.container.restart, timeout=5)
        await until(socket, b"comes back by itself", 60)
        await said(socket, "ready", 60)
        await socket.send(b"echo $((20+3))-again\r")
        await until(socket, b"23-again")


async def test_a_refreshed_container_has_the_session_again_and_the_viewer_is_attached_to_it(hub):
    async with connect(hub, "web/terminal/?session=stays") as socket:
        await said(socket, "ready")
        await socket.send(b"cd /usr/lib; echo $((20+3))-there\r")
        await until(socket, b"23-there")
        before = hub.container.id
        refresh = "lifecycle.refresh_container(project=Project.objects.get(slug='web'), actor=ACTOR)"
        await asyncio.to_thread(hub.box.python, refresh)
        await until(socket, b"comes back by itself", 60)
        await said(socket, "ready", 60)
        await socket.send(b"pwd; echo $((20+4))-again\r")
        assert b"/usr/lib" in await until(socket, b"24-again")
        assert hub.container.id != before


async def test_a_revoked_token_closes_within_30_seconds(hub):
    async with connect(hub, "web/commands/", who="revoked") as socket:
        await asyncio.to_thread(
            hub.box.python,
            "from django.utils import timezone\nApiToken.objects.filter(user__username='revoked').update(revoked_at=timezone.now())",
        )
        async with asyncio.timeout(30):
            assert await refusal(socket) == ("error", 4401)
