"""The promises about execs and stats, kept by the real Engine and by the fake alike."""

import threading
import time
import uuid

import pytest

from projects.engine.base import Chunk, ExecOutcome, ExecSpec
from projects.engine.errors import NoSuchObject, WrongState
from projects.states import Stream
from tests.engine.lab import BOTH_STREAMS
from tests.support import wait_until


def as_root(*command: str, **options) -> ExecSpec:
    return ExecSpec(command, user="root", working_dir="/", **options)


# -- run ------------------------------------------------------------------------------------


def test_a_command_gives_its_output_by_stream_and_its_exit_code(lab):
    outcome, out, err = lab.run(lab.running(), *BOTH_STREAMS)
    assert (out, err, outcome.exit_code) == (b"out\n", b"err\n", 0)
    assert (outcome.timed_out, outcome.stopped, outcome.connection_lost) == (False, False, False)


@pytest.mark.parametrize(
    ("command", "code"), [(("true",), 0), (("false",), 1), (("sh", "-c", "exit 300"), 44), (("/no/such/binary",), 126)]
)
def test_exit_codes_are_those_of_the_command(lab, command, code):
    assert lab.run(lab.running(), *command)[0].exit_code == code


def test_a_missing_binary_says_so_in_its_output(lab):
    outcome, out, _ = lab.run(lab.running(), "/no/such/binary")
    assert outcome.exit_code == 126
    assert b"no such file" in out


def test_started_is_told_the_exec_that_the_outcome_names(lab):
    told: list[str] = []
    outcome, _, _ = lab.run(lab.running(), "true", started=told.append)
    assert told == [outcome.exec_id]


def test_a_timeout_ends_the_reading_and_says_so(lab):
    began = time.monotonic()
    outcome, _, _ = lab.run(lab.running(), "sleep", "60", timeout_seconds=0.5)
    assert (outcome.timed_out, outcome.stopped, outcome.connection_lost) == (True, False, False)
    assert outcome.exit_code is None
    assert 0.4 < time.monotonic() - began < 5


def test_a_stop_ends_the_reading_and_says_so(lab):
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    outcome, _, _ = lab.run(lab.running(), "sleep", "60", stop=stop.is_set)
    assert (outcome.timed_out, outcome.stopped, outcome.connection_lost) == (False, True, False)
    assert outcome.exit_code is None


def test_an_error_of_the_sink_passes_through(lab):
    def sink(stream: Stream, data: memoryview) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        lab.engine.execs.run(lab.running(), as_root("echo", "x"), sink=sink)


def test_a_command_needs_a_container_that_runs(lab):
    with pytest.raises(NoSuchObject):
        lab.run(f"{lab.run_id}-gone", "true")
    with pytest.raises(WrongState):
        lab.run(lab.created(), "true")


# -- kill -----------------------------------------------------------------------------------


def test_kill_ends_the_commands_of_one_marker_and_no_other(lab):
    docker_id, marker, other = lab.running(), uuid.uuid4().hex, uuid.uuid4().hex
    ended: dict[str, ExecOutcome] = {}

    def run(name: str) -> None:
        ended[name] = lab.run(docker_id, "sleep", "600", marker=name, stop=over.is_set)[0]

    over = threading.Event()
    threads = [threading.Thread(target=run, args=(name,)) for name in (marker, other)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: lab.engine.execs.kill(docker_id, marker) and marker in ended, 20)
        assert other not in ended
        assert ended[marker].exit_code in (137, 143)
    finally:
        over.set()
        for thread in threads:
            thread.join(10)
    assert lab.engine.execs.kill(docker_id, other)


def test_kill_is_true_when_nobody_bears_the_marker(lab):
    assert lab.engine.execs.kill(lab.running(), uuid.uuid4().hex)


# -- open -----------------------------------------------------------------------------------


async def read_all(stream) -> bytes:
    data = b""
    while (chunk := await stream.read()) is not None:
        assert isinstance(chunk, Chunk)
        assert chunk.data
        data += chunk.data
    return data


async def test_what_is_written_comes_back_and_half_close_ends_it(lab):
    async with lab.engine.execs.open(lab.running(), as_root("cat", stdin=True)) as stream:
        assert stream.exec_id
        await stream.write(b"hello ")
        await stream.write(b"world\n")
        await stream.half_close()
        assert await read_all(stream) == b"hello world\n"
        assert await stream.wait() == 0


async def test_a_stream_gives_the_exit_code_after_its_end(lab):
    async with lab.engine.execs.open(lab.running(), as_root("sh", "-c", "exit 3")) as stream:
        assert await read_all(stream) == b""
        assert await stream.wait() == 3


async def test_a_terminal_can_be_resized(lab):
    async with lab.engine.execs.open(lab.running(), as_root("cat", stdin=True, tty=True)) as stream:
        await stream.resize(cols=120, rows=40)


async def test_opening_needs_a_container_that_runs(lab):
    gone, stopped = lab.engine.execs.open(f"{lab.run_id}-gone", as_root("true")), lab.engine.execs.open(lab.created(), as_root("true"))
    with pytest.raises(NoSuchObject):
        await gone.__aenter__()
    with pytest.raises(WrongState):
        await stopped.__aenter__()


# -- stats ----------------------------------------------------------------------------------


def test_usage_is_of_a_running_container_and_none_of_any_other(lab):
    docker_id = lab.running(memory_limit_bytes=64 << 20)
    usage = lab.engine.stats.usage(docker_id)
    assert usage.docker_id == docker_id
    assert 0 < usage.memory_bytes < 64 << 20
    assert usage.memory_limit_bytes == 64 << 20
    assert usage.pids >= 1
    lab.engine.containers.stop(docker_id)
    assert lab.engine.stats.usage(docker_id) is None
    assert lab.engine.stats.usage(f"{lab.run_id}-gone") is None


def test_usages_leave_out_what_does_not_run(lab):
    running, stopped = [lab.running(), lab.running()], lab.created()
    found = lab.engine.stats.usages([*running, stopped, "f" * 64])
    assert set(found) == set(running)
    assert all(usage.memory_limit_bytes is None for usage in found.values())
