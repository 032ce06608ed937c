"""Killing by marker on the real Engine: everything that bears it, and nothing else."""

import threading
import time

import pytest

from projects.engine.base import MARKER_VARIABLE, ExecSpec
from projects.engine.exec_kill import Killer
from tests.engine import exec_fixtures
from tests.engine.exec_fixtures import asked, commands_in, ignore, new_marker
from tests.support import wait_until

pytestmark = pytest.mark.live
base_image, box = exec_fixtures.base_image, exec_fixtures.box


@pytest.fixture
def begin(live):
    """Start a command in a thread of its own; wait until so many processes with `shows` run."""
    threads = []

    def start(ref, *command, marker, shows="", count=1, **fields):
        def read():
            live.engine.execs.run(ref, asked(*command, marker=marker, **fields), sink=ignore)
            live.engine.connection.close()

        thread = threading.Thread(target=read)
        thread.start()
        threads.append((ref, thread))
        if shows:
            running = lambda: sum(shows in command for command in commands_in(live, ref)) >= count  # noqa: E731
            wait_until(running, 20, reason=f"{count} processes of {shows!r}")
        return thread

    yield start
    for ref, thread in threads:
        live.engine.containers.remove(ref, force=True)
        thread.join(20)
        assert not thread.is_alive()


def test_children_of_every_kind_end_and_others_live(live, box, begin):
    marker, other = new_marker(), new_marker()
    begin(box, "sleep", "200", marker=other, shows="sleep 200")
    script = "sleep 301 & setsid sleep 302 & nohup sleep 303 >/dev/null & (setsid nohup sleep 304 &) ; sudo sleep 305"
    begin(box, "bash", "-c", script, marker=marker, shows="sleep 30", count=5)
    began = time.monotonic()
    assert live.engine.execs.kill(box, marker)
    assert time.monotonic() - began < 5
    # sudo itself bears no marker that can be read; it ends when its command has.
    wait_until(lambda: not [command for command in commands_in(live, box) if "sleep 30" in command], 2, reason="all have ended")
    assert [command for command in commands_in(live, box) if "sleep 200" in command]


def test_a_process_without_any_environment_delays_no_kill(live, box, begin):
    marker = new_marker()
    begin(box, "bash", "-c", "env -i sleep 306 & sleep 301", marker=marker, shows="sleep 30", count=2)
    began = time.monotonic()
    assert live.engine.execs.kill(box, marker)
    assert time.monotonic() - began < 5
    assert [command for command in commands_in(live, box) if "sleep 30" in command] == ["sleep 306"]


def test_a_process_of_sudo_alone_ends(live, box, begin):
    marker = new_marker()
    begin(box, "sudo", "sleep", "305", marker=marker, shows="sleep 305", count=2)
    assert live.engine.execs.kill(box, marker)
    wait_until(lambda: not [command for command in commands_in(live, box) if "sleep 305" in command], 2, reason="sudo has ended too")


def test_a_process_that_ignores_term_is_killed_after_the_grace(live, box, begin):
    marker = new_marker()
    begin(box, "bash", "-c", "trap '' TERM; sleep 306 & sleep 307", marker=marker, shows="sleep 30", count=3)
    began = time.monotonic()
    assert live.engine.execs.kill(box, marker, grace_seconds=1)
    assert 1 <= time.monotonic() - began < 6
    assert not [command for command in commands_in(live, box) if "sleep 30" in command]


def test_a_process_that_tidies_up_at_term_has_its_time(live, box, begin):
    marker = new_marker()
    script = "trap 'sleep 0.5; echo tidy > /tmp/tidy; exit' TERM; sleep 308 & wait"
    begin(box, "bash", "-c", script, marker=marker, shows="sleep 308")
    assert live.engine.execs.kill(box, marker)
    assert live.run(box, "cat", "/tmp/tidy")[1] == b"tidy\n"


def test_a_terminals_server_lives_when_a_command_is_killed(live, box, begin):
    marker = new_marker()
    live.run(box, "tmux", "-L", "hub", "new-session", "-d", "-s", "main", "sleep 400")
    begin(box, "bash", "-c", "sleep 309", marker=marker, shows="sleep 309")
    assert live.engine.execs.kill(box, marker)
    assert live.run(box, "tmux", "-L", "hub", "has-session", "-t", "main")[0].exit_code == 0


@pytest.mark.parametrize("pids_limit", [64, 200])
def test_a_fork_bomb_at_the_pid_limit_ends(live, base_image, begin, pids_limit):
    ref, marker = live.running(image=base_image, user="claude", pids_limit=pids_limit, memory_limit_bytes=256 << 20), new_marker()
    begin(ref, "bash", "-c", ":(){ :|:& };:", marker=marker, shows=":|:", count=pids_limit - 20)
    assert live.engine.execs.kill(ref, marker)
    assert not [command for command in commands_in(live, ref) if ":|:" in command]


def test_sudo_ends_with_its_command_that_had_to_be_killed(live, box, begin):
    marker = new_marker()
    begin(box, "sudo", "bash", "-c", "trap '' TERM; sleep 316; sleep 317", marker=marker, shows="sleep 316", count=2)
    assert live.engine.execs.kill(box, marker, grace_seconds=0.5)
    wait_until(lambda: not [command for command in commands_in(live, box) if "sleep 31" in command], 5, reason="sudo has ended too")


def test_a_marker_that_nobody_bears_is_quickly_true(live, box):
    began = time.monotonic()
    assert live.engine.execs.kill(box, new_marker())
    assert time.monotonic() - began < 3


def test_a_marker_is_never_taken_for_a_longer_one(live, box, begin):
    marker = new_marker()
    begin(box, "sleep", "310", marker=f"{marker}0", shows="sleep 310")
    assert live.engine.execs.kill(box, marker)
    assert [command for command in commands_in(live, box) if "sleep 310" in command]


def test_an_image_without_the_user_claude_is_scanned_as_its_own_user(live, begin):
    ref, marker = live.running(user="1234"), new_marker()
    begin(ref, "sleep", "311", marker=marker, shows="sleep 311", user="1234")
    assert live.engine.execs.kill(ref, marker)
    assert not [command for command in commands_in(live, ref) if "sleep 311" in command]


def test_an_image_without_bash_is_scanned_with_a_plain_shell(live, begin):
    ref, marker = live.running(), new_marker()
    live.run(ref, "rm", "/bin/bash")
    begin(ref, "sleep", "312", marker=marker, shows="sleep 312", user="root")
    assert live.engine.execs.kill(ref, marker)
    assert not [command for command in commands_in(live, ref) if "sleep 312" in command]


def test_a_container_that_takes_no_more_processes_is_helped_from_the_host(live, box, begin, monkeypatch):
    marker = new_marker()
    begin(box, "bash", "-c", "trap '' TERM; sleep 313 & setsid sleep 314 & sudo sleep 315", marker=marker, shows="sleep 31", count=4)
    monkeypatch.setattr(Killer, "_as_user", lambda self, user, signal: None)
    assert live.engine.execs.kill(box, marker, grace_seconds=1)
    wait_until(lambda: not [command for command in commands_in(live, box) if "sleep 31" in command], 2, reason="all have ended")


def test_a_container_that_is_stopped_or_gone_has_nothing_left_to_kill(live):
    ref = live.created()
    assert live.engine.execs.kill(ref, new_marker())
    live.engine.containers.remove(ref)
    assert live.engine.execs.kill(ref, new_marker())


def test_the_kill_itself_bears_no_marker(live, box, monkeypatch):
    seen: list[ExecSpec] = []
    run = live.engine.execs.run

    def noted(ref, spec, **rest):
        seen.append(spec)
        return run(ref, spec, **rest)

    monkeypatch.setattr(live.engine.execs, "run", noted)
    live.engine.execs.kill(box, new_marker())
    assert seen
    assert not any(MARKER_VARIABLE in spec.environment for spec in seen)
