"""The page's own socket as it is served: a snapshot, then what differs, for those who may look."""

import asyncio
import contextlib
import json

import pytest
import websockets

pytestmark = pytest.mark.live


def connect(hub, page="/", *, who="operator", origin=None):
    headers = {"Authorization": f"Bearer {hub.keys[who]}"} if who in hub.keys else {}
    address = f"ws://{hub.address}/ws/live/?page={page}"
    return websockets.connect(address, origin=websockets.Origin(origin or f"http://{hub.address}"), additional_headers=headers)


async def part(socket, target, holding="", seconds=60):
    """The next fragment for that target that holds these words; without an event the page looks each 10 s, and the machine may be busy."""
    async with asyncio.timeout(seconds):
        while True:
            message = json.loads(await socket.recv())
            assert message.get("type") != "error", message
            if message["target"] == target and holding in message["content"]:
                return message


async def closed(socket):
    async with asyncio.timeout(20):
        said = json.loads(await socket.recv())
        with pytest.raises(websockets.ConnectionClosed) as end:
            await socket.recv()
    assert end.value.rcvd
    return said["message"], end.value.rcvd.code


async def test_a_snapshot_at_connect_and_then_only_what_differs(hub):
    async with connect(hub) as socket:
        whole = await part(socket, "#rows")
        assert 'id="row-web"' in whole["content"]
        assert whole["swap"] == "outerMorph"
        await asyncio.to_thread(hub.box.python, 'Project.objects.filter(slug="web").update(last_error="It broke.")')
        row = await part(socket, "#row-web", "It broke.")
        assert row["content"].startswith("<tr")
        await asyncio.to_thread(hub.box.python, 'Project.objects.filter(slug="web").update(last_error="")')


async def test_a_stranger_gets_no_row_but_is_told_whom_to_ask(hub):
    async with connect(hub, who="stranger") as socket:
        assert "Ask the owner of a project" in (await part(socket, "#beginning"))["content"]


@pytest.mark.parametrize(
    ("who", "page", "code"), [("nobody", "/", 4401), ("viewer", "/nowhere/", 4404), ("viewer", "/accounts/login/", 4404)]
)
async def test_who_may_not_look_is_told_why(hub, who, page, code):
    async with connect(hub, page, who=who) as socket:
        words, got = await closed(socket)
    assert got == code
    assert words.endswith(".")


async def test_another_origin_is_refused_in_the_handshake(hub):
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with connect(hub, origin="http://evil.example"):
            pass
    assert refused.value.response.status_code == 403


async def test_a_message_is_malformed(hub):
    async with connect(hub) as socket:
        await part(socket, "#rows")
        await socket.send(json.dumps({"type": "eat"}))
        async with asyncio.timeout(20):
            with contextlib.suppress(websockets.ConnectionClosed):
                async for message in socket:
                    assert "Something went wrong" not in message
        assert socket.close_code == 4400
