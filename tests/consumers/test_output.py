"""Every byte of a command comes over the socket, whatever the machine, the size or the client; and the hub's memory stays small."""

import asyncio
import contextlib
import hashlib
import json
import multiprocessing
import os
from pathlib import Path

import pytest

from tests.consumers.memory import Peak
from tests.consumers.talk import connect, run, said, the_close, the_end, until

pytestmark = pytest.mark.live

SHORT_OUTPUTS, AT_ONCE = 300, 6
MUCH = "head -c 200000000 /dev/urandom | tee >(sha256sum >/tmp/sum-$$) ; until [ -s /tmp/sum-$$ ]; do sleep 0.05; done; cat /tmp/sum-$$ >&2"
HIGH, LOW, SLICE = 256 * 1024, 64 * 1024, 64 * 1024
MOST_GROWN_MB = 20


@contextlib.contextmanager
def busy_cores():
    """Both cores, and more than both: as many hogs as the machine has cores."""
    hogs = [multiprocessing.get_context("fork").Process(target=spin, daemon=True) for _ in range(os.cpu_count() or 2)]
    for hog in hogs:
        hog.start()
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.join()


def spin():
    while True:
        pass


@pytest.fixture
def fresh(hub):
    """A web process of the test's own, warmed up, and its pid."""
    mine = hub.beside()
    with mine.serving() as server:
        asyncio.run(warm_up(mine))
        yield mine, server.pid


async def warm_up(hub):
    async with connect(hub, "web/commands/") as socket:
        await run(socket, "head -c 3000000 /dev/zero")


async def test_300_short_outputs_are_exact_with_all_cores_busy(hub):
    async def some(numbers):
        async with connect(hub, "web/commands/") as socket:
            for number in numbers:
                out, err, end = await run(socket, f"echo out-{number}; echo err-{number} >&2; exit {number % 7}")
                assert (out, err, end["exit_code"]) == (b"out-%d\n" % number, b"err-%d\n" % number, number % 7)

    with busy_cores():
        await asyncio.gather(*(some(range(first, SHORT_OUTPUTS, AT_ONCE)) for first in range(AT_ONCE)))


async def test_a_character_of_three_bytes_arrives_whole_however_it_was_split(hub):
    euro = "for i in 1 2 3 4 5; do printf '\\342'; sleep .15; printf '\\202'; sleep .15; printf '\\254'; done"
    async with connect(hub, "web/commands/") as socket:
        assert (await run(socket, euro))[0].decode() == "€€€€€"
    async with connect(hub, "web/terminal/?session=euro") as terminal:
        await said(terminal, "ready")
        await terminal.send(f"{euro}; echo '<'\r".encode())
        assert (await until(terminal, b"<\r\n", after="€€".encode())).decode().count("€") == 5


async def digest_of_much(socket):
    await socket.send(json.dumps({"type": "run", "command": MUCH}))
    digest, size, wanted = hashlib.sha256(), 0, b""
    while True:
        message = await asyncio.wait_for(socket.recv(), 60)
        if isinstance(message, str):
            if json.loads(message)["type"] == "exit":
                return digest.hexdigest(), size, wanted.split()[0].decode()
        elif message[0] == 1:
            digest.update(message[1:])
            size += len(message) - 1
        else:
            wanted += message[1:]


def test_200_mb_are_exact_and_the_hub_takes_less_than_20_mb_for_them(fresh):
    async def stream():
        async with connect(hub, "web/commands/") as socket:
            return await digest_of_much(socket)

    hub, pid = fresh
    peak = Peak(pid)
    digest, size, wanted = asyncio.run(stream())
    assert (digest, size) == (wanted, 200_000_000)
    assert peak.grown_mb() < MOST_GROWN_MB


async def took(socket, seconds=1.5):
    """The bytes of output that come until nothing does for so long."""
    size = 0
    with contextlib.suppress(TimeoutError):
        while True:
            message = await asyncio.wait_for(socket.recv(), seconds)
            size += len(message) if isinstance(message, bytes) else 0
    return size


async def test_an_acknowledging_client_is_sent_256_kib_and_more_at_64_kib_unconfirmed(hub):
    async with connect(hub, "web/commands/?ack=1") as socket:
        await socket.send(json.dumps({"type": "run", "command": "head -c 3000000 /dev/zero; sleep 60"}))
        await said(socket, "started")
        unconfirmed = await took(socket, 5)
        assert HIGH <= unconfirmed <= HIGH + SLICE
        await socket.send(json.dumps({"type": "ack", "bytes": unconfirmed - LOW - 1}))
        assert await took(socket) == 0
        await socket.send(json.dumps({"type": "ack", "bytes": 1}))
        more = await took(socket)
        assert HIGH <= LOW + more <= HIGH + SLICE
        await socket.send(json.dumps({"type": "kill"}))
        await socket.send(json.dumps({"type": "ack", "bytes": 2**40}))
        assert (await asyncio.wait_for(confirming(socket), 60))["killed"] is True


async def confirming(socket):
    while True:
        message = await socket.recv()
        if isinstance(message, bytes):
            await socket.send(json.dumps({"type": "ack", "bytes": len(message)}))
        elif json.loads(message)["type"] == "exit":
            return json.loads(message)


DEAF = ": deaf; head -c 200000000 /dev/zero; until [ -e /tmp/deaf ]; do sleep 0.1; done; printf after; exit 9"


def test_clients_that_take_nothing_are_dropped_after_30_seconds_and_their_commands_run_on(fresh):
    hub, pid = fresh
    peak = Peak(pid)
    mute, deaf = asyncio.run(stuck_clients(hub))
    assert mute >= 30
    assert deaf >= 30
    assert peak.grown_mb() < MOST_GROWN_MB
    run_id = hub.box.python("answer(str(CommandRun.objects.get(command__startswith=': deaf', state='running').id))")
    hub.run("touch", "/tmp/deaf")
    out, _err, end = asyncio.run(attached(hub, run_id))
    assert (len(out), out[-5:], end["exit_code"], end["killed"]) == (200_000_005, b"after", 9, False)


async def stuck_clients(hub):
    """How many seconds one lasts that confirms nothing, and one that reads nothing."""
    return await asyncio.gather(mute_client(hub), deaf_client(hub))


async def mute_client(hub):
    loop = asyncio.get_running_loop()
    async with connect(hub, "web/commands/?ack=1") as socket:
        await socket.send(json.dumps({"type": "run", "command": "head -c 3000000 /dev/zero"}))
        began = loop.time()
        assert await the_close(socket) == 1001
        return loop.time() - began


async def deaf_client(hub):
    loop = asyncio.get_running_loop()
    async with connect(hub, "web/commands/", ping_interval=None) as socket:
        await socket.send(json.dumps({"type": "run", "command": DEAF}))
        socket.transport.pause_reading()
        began, port = loop.time(), socket.local_address[1]
        while is_connected(hub.port, port):
            assert loop.time() - began < 120, "the hub keeps a client that reads nothing"
            await asyncio.sleep(0.2)
        socket.transport.abort()
        return loop.time() - began


def is_connected(port, client_port):
    """Whether the server's end of that connection stands, in whatever state."""
    ends = f":{port:04X}", f":{client_port:04X}"
    rows = [line.split()[1:3] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(local.endswith(ends[0]) and remote.endswith(ends[1]) for local, remote in rows)


async def attached(hub, run_id):
    async with connect(hub, "web/commands/") as socket:
        await socket.send(json.dumps({"type": "attach", "run_id": run_id}))
        return await the_end(socket)
