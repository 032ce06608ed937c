"""Attached processes on the real Engine: asyncio in and out, a terminal's size, back-pressure, and no leak."""

import asyncio
import subprocess
import time
from types import SimpleNamespace

import pytest
import uvloop

from projects.engine.base import ExecSpec
from projects.engine.errors import ConnectionLost, EngineUnreachable, NoSuchObject, WrongState
from projects.engine.exec_calls import sized
from projects.engine.execs import DockerExecs
from projects.states import Stream
from tests.engine.exec_fixtures import asked, open_descriptors

pytestmark = pytest.mark.live


def as_root(*command, **fields):
    return asked(*command, user="root", **fields)


async def all_of(stream):
    found = {Stream.STDOUT: bytearray(), Stream.STDERR: bytearray()}
    while chunk := await stream.read():
        assert chunk.data
        found[chunk.stream] += chunk.data
    return bytes(found[Stream.STDOUT]), bytes(found[Stream.STDERR])


async def until(stream, wanted):
    seen = b""
    try:
        async with asyncio.timeout(15):
            while wanted not in seen:
                chunk = await stream.read()
                assert chunk, f"the stream ended after {seen!r}"
                seen += chunk.data
    except TimeoutError:
        raise AssertionError(f"{wanted!r} did not come, but {seen!r}") from None
    return seen


async def test_both_streams_come_exact_and_the_code_after_them(live):
    async with live.engine.execs.open(live.running(), as_root("sh", "-c", "echo out; echo err >&2; exit 7")) as stream:
        assert stream.exec_id
        assert await all_of(stream) == (b"out\n", b"err\n")
        assert await stream.read() is None
        assert await stream.wait() == 7


async def test_input_is_delivered_and_its_end_too(live):
    async with live.engine.execs.open(live.running(), as_root("sha256sum", stdin=True)) as stream:
        for _ in range(100):
            await stream.write(b"x" * 100_000)
        await stream.half_close()
        out, _ = await all_of(stream)
        assert await stream.wait() == 0
    expected = subprocess.run(["sha256sum"], input=b"x" * 10_000_000, capture_output=True, check=True).stdout
    assert out == expected


async def test_every_key_arrives_alone(live):
    """The Engine looks for keys that detach (Ctrl-P, Ctrl-Q unless told otherwise) and holds the first until the next comes."""
    shows = as_root(
        "sh", "-c", "stty raw -echo; echo go; while true; do dd bs=1 count=1 status=none | od -An -tu1; done", tty=True, stdin=True
    )
    async with live.engine.execs.open(live.running(), shows) as stream:
        await until(stream, b"go")
        for key in range(1, 128):
            await stream.write(bytes([key]))
            assert int((await until(stream, b"\n")).split()[-1]) == key
        await stream.write(b"\x00")  # Ctrl-Space may wait for the next
        await stream.write(b"f")
        assert (await until(stream, b"102")).split() == [b"0", b"102"]


async def test_a_terminal_knows_its_size_from_the_start_and_after_a_resize(live):
    spec = as_root("sh", "-c", "read go; stty size; read go; stty size", tty=True, stdin=True, cols=123, rows=45)
    async with live.engine.execs.open(live.running(), spec) as stream:
        await stream.write(b"\n")
        await until(stream, b"45 123")
        await stream.resize(cols=80, rows=24)
        await stream.write(b"\n")
        await until(stream, b"24 80")
        assert await stream.read() is None
        assert await stream.wait() == 0


async def test_a_program_has_its_size_from_its_first_moment(live):
    for _ in range(20):
        async with live.engine.execs.open(live.running(), as_root("stty", "size", tty=True, stdin=True, cols=123, rows=45)) as stream:
            said = b""
            while (chunk := await stream.read()) is not None:
                said += chunk.data
            assert (said.strip(), await stream.wait()) == (b"45 123", 0)


@pytest.mark.parametrize(("version", "waits"), [("1.41", True), ("1.42", False), ("1.51", False)])
def test_only_an_engine_that_takes_no_size_at_the_start_makes_a_program_wait_for_it(version, waits):
    connection = SimpleNamespace(api_version=lambda: version)
    plain, terminal = ExecSpec(command=("vim", "a b")), ExecSpec(command=("vim", "a b"), tty=True)
    assert sized(connection, plain) is plain
    assert (sized(connection, terminal) is not terminal) is waits
    assert sized(connection, terminal).command[-2:] == ("vim", "a b")


async def test_a_resize_after_the_end_is_quiet(live):
    async with live.engine.execs.open(live.running(), as_root("true", tty=True)) as stream:
        await all_of(stream)
        await stream.resize(cols=100, rows=30)
        assert await stream.wait() == 0


async def test_control_c_reaches_the_process_in_a_terminal(live):
    async with live.engine.execs.open(live.running(), as_root("sh", "-c", "echo go; exec sleep 100", tty=True, stdin=True)) as stream:
        await until(stream, b"go")
        await stream.write(b"\x03")
        await all_of(stream)
        assert await stream.wait() == 130


async def test_not_reading_holds_the_process_back(live):
    ref = live.running()
    async with live.engine.execs.open(ref, as_root("sh", "-c", "head -c 50000000 /dev/zero; touch /tmp/done")) as stream:
        await asyncio.sleep(1.5)  # long enough to send all of it, were nobody holding it back
        outcome = await asyncio.to_thread(live.run, ref, "test", "-e", "/tmp/done")
        assert outcome[0].exit_code == 1
        out, _ = await all_of(stream)
        assert len(out) == 50_000_000
    await asyncio.to_thread(live.engine.connection.close)


async def test_what_comes_while_it_is_held_is_read_at_once_afterwards(live):
    ticks = as_root("sh", "-c", "for n in 1 2 3 4 5; do echo $n; sleep 0.2; done; sleep 9", tty=True)
    async with live.engine.execs.open(live.running(), ticks) as stream:
        assert await until(stream, b"1") == b"1\r\n"
        with stream.held():
            await asyncio.sleep(2)
        assert (await stream.read()).data == b"2\r\n3\r\n4\r\n5\r\n"


async def test_writing_waits_while_the_process_does_not_read(live):
    async with live.engine.execs.open(live.running(), as_root("sleep", "100", stdin=True)) as stream:

        async def without_end():
            while True:
                await stream.write(b"x" * 65536)

        with pytest.raises(TimeoutError):
            await asyncio.wait_for(without_end(), 1)


async def test_a_cancelled_read_loses_nothing(live):
    async with live.engine.execs.open(live.running(), as_root("sh", "-c", "for i in 1 2 3 4 5; do sleep 0.1; echo $i; done")) as stream:
        found = b""
        while True:
            try:
                chunk = await asyncio.wait_for(stream.read(), 0.03)
            except TimeoutError:
                continue
            if chunk is None:
                break
            found += chunk.data
    assert found == b"1\n2\n3\n4\n5\n"


async def test_closing_frees_the_descriptor_and_kills_nothing(live):
    ref = live.running()

    async def once():
        async with live.engine.execs.open(ref, as_root("sh", "-c", "echo up; exec sleep 101", stdin=True)) as stream:
            await stream.write(b"x")
            assert await stream.read()  # it runs: the Engine drops a start whose caller is gone before it
        await stream.close()

    for _ in range(20):  # the pool's threads make their clients
        await asyncio.gather(*(once() for _ in range(2)))
    held = open_descriptors()
    for _ in range(10):
        await once()
    assert open_descriptors() < held + 10  # a thread more has a client more
    async with live.engine.execs.open(ref, as_root("cat", stdin=True)) as closed:
        pass
    with pytest.raises(ConnectionLost):
        await closed.write(b"x")
    assert sum("sleep 101" in process.command for process in live.engine.containers.processes(ref)) == 50


async def test_what_was_written_last_is_sent_before_closing(live):
    ref = live.running()
    async with live.engine.execs.open(ref, as_root("sh", "-c", "cat > /tmp/got", stdin=True)) as stream:
        await stream.write(b"y" * 200_000)
    for _ in range(100):
        _, size, _ = await asyncio.to_thread(live.run, ref, "stat", "-c", "%s", "/tmp/got")
        if size == b"200000\n":
            break
    assert size == b"200000\n"


async def test_entering_says_what_is_wrong(live):
    with pytest.raises(NoSuchObject):
        async with live.engine.execs.open(live.name(), as_root("true")):
            pass
    with pytest.raises(WrongState):
        async with live.engine.execs.open(live.created(), as_root("true")):
            pass


async def test_a_cut_ends_the_stream_and_wait_says_that_it_was_no_end(behind, proxy):
    async with behind.engine.execs.open(behind.running(), as_root("sh", "-c", "echo go; sleep 100")) as stream:
        await until(stream, b"go")
        proxy.cut()
        assert await stream.read() is None
        with pytest.raises(ConnectionLost, match="unknown"):
            await stream.wait()


async def test_an_engine_that_hangs_ends_the_stream(behind, proxy):
    execs = DockerExecs(behind.engine.connection, silence_seconds=0.5, ping_timeout_seconds=0.5)
    async with execs.open(behind.running(), as_root("sh", "-c", "echo go; sleep 100")) as stream:
        await until(stream, b"go")
        proxy.set_mode("hang")
        assert await asyncio.wait_for(stream.read(), 10) is None
        with pytest.raises(EngineUnreachable):
            await stream.wait()


async def test_a_hung_engine_does_not_hold_the_event_loop(behind, proxy):
    async with behind.engine.execs.open(behind.running(), as_root("cat", tty=True, stdin=True)) as stream:
        proxy.set_mode("hang")
        resize = asyncio.create_task(stream.resize(cols=90, rows=30))
        longest = 0.0
        for _ in range(50):
            before = time.monotonic()
            await asyncio.sleep(0.01)
            longest = max(longest, time.monotonic() - before)
        assert not resize.done()
        assert longest < 0.5
        proxy.set_mode("pass")
        await resize


def test_uvloop_reads_and_writes_the_same(live):
    ref = live.running()

    async def talk():
        async with live.engine.execs.open(ref, as_root("cat", stdin=True)) as stream:
            await stream.write(b"hello" * 100_000)
            await stream.half_close()
            out, _ = await all_of(stream)
            return out, await stream.wait()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(talk()) == (b"hello" * 100_000, 0)


def test_thirty_terminals_at_once_each_answer(live):
    """But for one that the Engine may leave deaf and mute: 5 of 1,440 were, whose process lives (20.10). Services begin such anew."""
    ref = live.running()

    async def one(number):
        async with live.engine.execs.open(ref, as_root("cat", tty=True, stdin=True)) as stream:
            await stream.write(f"number {number}\n".encode())
            await until(stream, f"number {number}\r\n".encode())

    async def many():
        return await asyncio.gather(*(one(number) for number in range(30)), return_exceptions=True)

    failed = [str(found) for found in asyncio.run(many()) if found]
    assert len(failed) <= 1
    assert all("but b''" in found for found in failed)
