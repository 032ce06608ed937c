"""Commands run to their end on the real Engine: every byte, the exit code, and no false success."""

import itertools
import subprocess
import threading
import time

import pytest

from projects.engine.errors import EngineUnreachable, NoSuchObject, WrongState
from projects.engine.execs import DockerExecs
from tests.engine.exec_fixtures import Heard, asked, busy_cores, ignore, new_marker, open_descriptors, unconnected_sockets_dropped
from tests.engine.lab import IMAGE
from tests.support import wait_until

pytestmark = pytest.mark.live


def as_root(*command, **fields):
    return asked(*command, user="root", **fields)


def test_output_and_exit_code_are_exact(live):
    heard = Heard()
    ids: list[str] = []
    outcome = live.engine.execs.run(live.running(), as_root("sh", "-c", "echo out; echo err >&2; exit 7"), sink=heard, started=ids.append)
    assert (bytes(heard.stdout), bytes(heard.stderr), outcome.exit_code) == (b"out\n", b"err\n", 7)
    assert ids == [outcome.exec_id]
    assert [outcome.timed_out, outcome.stopped, outcome.connection_lost] == [False, False, False]


def test_short_outputs_are_exact_with_every_core_busy(live):
    ref, wrong = live.running(), []

    def many(number):
        for turn in range(75):
            heard, text = Heard(), f"hello {number} {turn}"
            outcome = live.engine.execs.run(ref, as_root("echo", text), sink=heard)
            if (bytes(heard.stdout), outcome.exit_code) != (f"{text}\n".encode(), 0):
                wrong.append((text, bytes(heard.stdout), outcome))
        live.engine.connection.close()

    with busy_cores():
        threads = [threading.Thread(target=many, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert wrong == []


def test_two_hundred_megabytes_come_whole_and_about_as_fast_as_with_the_docker_command(live):
    ref, size, counted = live.running(), 200_000_000, [0]
    command = ("head", "-c", str(size), "/dev/zero")

    def count(stream, data):
        counted[0] += len(data)

    ours, theirs = [], []
    for _ in range(6):
        counted[0] = 0
        began = time.monotonic()
        assert live.engine.execs.run(ref, as_root(*command), sink=count).exit_code == 0
        ours.append(time.monotonic() - began)
        assert counted == [size]
        began = time.monotonic()
        subprocess.run(["docker", "exec", ref, *command], stdout=subprocess.DEVNULL, check=True)
        theirs.append(time.monotonic() - began)
    print(f"ours {min(ours):.2f} s, docker exec {min(theirs):.2f} s")
    assert min(ours) < 1.5 * min(theirs), f"{ours} against {theirs}"


def test_a_slow_sink_loses_nothing(live):
    heard = Heard()

    def slow(stream, data):
        time.sleep(0.02)
        heard(stream, data)

    live.engine.execs.run(live.running(), as_root("sh", "-c", "seq 1 300000"), sink=slow)
    assert heard.stdout.split() == [str(number).encode() for number in range(1, 300_001)]


def test_a_terminal_has_one_stream_without_frames(live):
    heard = Heard()
    outcome = live.engine.execs.run(live.running(), as_root("sh", "-c", "echo out; echo err >&2", tty=True), sink=heard)
    assert (bytes(heard.stdout), outcome.exit_code) == (b"out\r\nerr\r\n", 0)


def test_a_program_that_does_not_exist_is_126_with_the_engines_words(live):
    heard = Heard()
    outcome = live.engine.execs.run(live.running(), as_root("no-such-program"), sink=heard)
    assert outcome.exit_code == 126
    assert b"no-such-program" in heard.stdout


def test_a_timeout_ends_the_reading_in_time(live):
    outcome = live.engine.execs.run(live.running(), as_root("sleep", "100"), sink=ignore, timeout_seconds=0.5)
    assert (outcome.timed_out, outcome.exit_code, outcome.connection_lost) == (True, None, False)
    assert 0.4 < outcome.duration_seconds < 2


def test_a_timeout_holds_while_output_flows(live):
    outcome = live.engine.execs.run(live.running(), as_root("yes"), sink=ignore, timeout_seconds=0.5)
    assert outcome.timed_out
    assert outcome.duration_seconds < 2


def test_stop_is_asked_often_and_ends_the_reading(live):
    asked_at = []

    def stop():
        asked_at.append(time.monotonic())
        return len(asked_at) > 5

    outcome = live.engine.execs.run(live.running(), as_root("sleep", "100"), sink=ignore, stop=stop)
    assert (outcome.stopped, outcome.exit_code) == (True, None)
    assert max(after - before for before, after in itertools.pairwise(asked_at)) < 0.5


def test_an_error_of_the_sink_passes_through_and_closes_the_connection(live):
    ref = live.running()
    live.engine.execs.run(ref, as_root("true"), sink=ignore)
    held = open_descriptors()

    def broken(stream, data):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        live.engine.execs.run(ref, as_root("echo", "x"), sink=broken)
    assert open_descriptors() == held


def test_the_environment_reaches_the_process_and_shows_in_no_inspect(live):
    heard, ref, secret = Heard(), live.running(), new_marker()
    outcome = live.engine.execs.run(ref, as_root("sh", "-c", "echo $TOKEN", environment={"TOKEN": secret}), sink=heard)
    assert heard.stdout.decode().strip() == secret
    assert secret not in str(live.engine.connection.client().exec_inspect(outcome.exec_id))


def test_an_exec_in_a_container_that_is_gone_or_stopped_or_paused_says_so(live):
    with pytest.raises(NoSuchObject):
        live.engine.execs.run(live.name(), as_root("true"), sink=ignore)
    with pytest.raises(WrongState):
        live.engine.execs.run(live.created(), as_root("true"), sink=ignore)
    paused = live.running()
    live.engine.connection.client().pause(paused)
    with pytest.raises(WrongState):
        live.engine.execs.run(paused, as_root("true"), sink=ignore)


def test_an_engine_that_is_not_there_is_unreachable_before_the_start(behind, proxy):
    ref = behind.running()
    proxy.set_mode("refuse")
    with unconnected_sockets_dropped(), pytest.raises(EngineUnreachable):
        behind.engine.execs.run(ref, as_root("true"), sink=ignore)


def test_a_cut_in_the_middle_is_a_lost_connection_and_no_success(behind, proxy):
    heard = Heard()

    def cut(stream, data):
        heard(stream, data)
        if b"go" in heard.stdout:
            proxy.cut()

    outcome = behind.engine.execs.run(behind.running(), as_root("sh", "-c", "echo go; sleep 5; echo more"), sink=cut)
    assert (outcome.connection_lost, outcome.exit_code) == (True, None)
    assert b"more" not in heard.stdout
    assert outcome.duration_seconds < 4.5


def test_an_engine_that_hangs_is_a_lost_connection(behind, proxy):
    execs = DockerExecs(behind.engine.connection, silence_seconds=0.5, ping_timeout_seconds=0.5)

    def hang(stream, data):
        proxy.set_mode("hang")

    outcome = execs.run(behind.running(), as_root("sh", "-c", "echo go; sleep 100"), sink=hang)
    assert (outcome.connection_lost, outcome.exit_code) == (True, None)


def test_a_silent_command_is_no_hung_engine(live):
    execs = DockerExecs(live.engine.connection, silence_seconds=0.2, ping_timeout_seconds=1)
    outcome = execs.run(live.running(image=IMAGE), as_root("sleep", "2"), sink=ignore)
    assert outcome.exit_code == 0


def test_a_killed_container_ends_its_execs_with_a_code(live):
    ref, began = live.running(), threading.Event()
    outcomes = []

    def read():
        outcomes.append(live.engine.execs.run(ref, as_root("sh", "-c", "echo go; sleep 100"), sink=lambda *_: began.set()))
        live.engine.connection.close()

    reader = threading.Thread(target=read)
    reader.start()
    wait_until(began.is_set, 10, reason="the exec began")
    live.engine.containers.stop(ref, grace_seconds=0)
    reader.join(10)
    assert [outcome.exit_code for outcome in outcomes] == [137]
