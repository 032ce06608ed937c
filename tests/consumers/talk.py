"""A client's side of both sockets."""

import asyncio
import contextlib
import json

import websockets


def connect(hub, path, *, who="operator", origin=None, **options):
    """As that user by token; `session` in the options is a cookie instead. An empty origin sends none."""
    headers = {"Authorization": f"Bearer {hub.keys[who]}"} if who in hub.keys else {}
    if session := options.pop("session", ""):
        headers = {"Cookie": f"sessionid={session}"}
    own = f"http://{hub.address}" if origin is None else origin
    return websockets.connect(
        f"ws://{hub.address}/ws/projects/{path}",
        origin=websockets.Origin(own) if own else None,
        additional_headers=headers,
        **{"max_size": None, "compression": None, **options},
    )


async def run(socket, command, **fields):
    """stdout, stderr, and the `exit` message."""
    await socket.send(json.dumps({"type": "run", "command": command, **fields}))
    return await the_end(socket)


async def the_end(socket):
    output = {1: bytearray(), 2: bytearray()}
    while True:
        message = await asyncio.wait_for(socket.recv(), 60)
        if isinstance(message, bytes):
            output[message[0]] += message[1:]
            continue
        said = json.loads(message)
        assert said["type"] != "error", said
        if said["type"] == "exit":
            return bytes(output[1]), bytes(output[2]), said


async def until(socket, wanted, seconds=30, *, after=b""):
    """The terminal's bytes until `wanted` stands in them, behind `after`."""
    seen = b""
    try:
        async with asyncio.timeout(seconds):
            while wanted not in seen[seen.find(after) :] or after not in seen:
                message = await socket.recv()
                seen += message if isinstance(message, bytes) else message.encode()
    except TimeoutError:
        raise AssertionError(f"{wanted!r} did not come, but {seen[-3000:]!r}") from None
    return seen


async def sized(socket, wanted):
    """Ask the shell until it sees that size: tmux gathers resizes for a quarter of a second, so a first answer may be the old one."""
    for _ in range(20):
        await socket.send(b"\x15stty size\r")
        with contextlib.suppress(AssertionError):
            return await until(socket, wanted, 2)
    raise AssertionError(f"the shell never saw {wanted!r}")


async def said(socket, kind, seconds=30):
    async with asyncio.timeout(seconds):
        while True:
            message = await socket.recv()
            if isinstance(message, str) and json.loads(message)["type"] == kind:
                return json.loads(message)


async def refusal(socket):
    message = json.loads(await asyncio.wait_for(socket.recv(), 20))
    await asyncio.wait_for(socket.wait_closed(), 20)
    return message["type"], socket.close_code


async def the_close(socket, seconds=120):
    """The code of the close, after all that comes before it."""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            await asyncio.wait_for(socket.recv(), seconds)
    return socket.close_code
