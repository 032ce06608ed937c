"""`hub ps stats logs events runs output kill` on the real Engine, partly in a real pseudo-terminal."""

import hashlib
import json
import re
import termios

import pexpect
import pytest

from tests.support import wait_until

pytestmark = pytest.mark.live

SHOWS_CURSOR, HIDES_CURSOR = b"\x1b[?25h", b"\x1b[?25l"


def test_ps_has_the_columns_of_a_working_day(shared):
    first, row = (line.rstrip() for line in shared("ps").stdout.decode().splitlines())
    assert first.split() == "PROJECT STATUS HEALTH AGE MEMORY / LIMIT BUSY OWNERS".split()  # noqa: SIM905
    assert re.match(r"docs +running +(starting|healthy|unhealthy) +\d+ (s|min) +[\d.]+MiB / [\d.]+GiB +- +-$", row), row
    assert shared("ps", "-q").stdout == b"docs\n"
    assert str(shared.box.roots / "docs") in shared("ps", "--long").stdout.decode()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("--filter status=running", True),
        ("-f status=exited", False),
        ("-f status=exited -f status=running", True),
        ("-f status=running -f busy=true", False),
        ("-f owner=ann", False),
    ],
)
def test_ps_filters_as_docker_does(shared, words, found):
    assert shared("ps", "-q", *words.split()).stdout == (b"docs\n" if found else b"")


def test_ps_says_how_a_container_ended_and_stats_leaves_it_out(shared):
    box = shared.box
    box.add_project("gone")
    assert shared("ensure", "gone").returncode == 0
    next(c for c in box.containers() if c.name.endswith("-gone")).kill()
    rows = {row["project"]: row for row in json.loads(shared("ps", "--json").stdout)}
    assert (rows["gone"]["status"], rows["gone"]["exit_code"], rows["gone"]["reason"]) == ("exited", 137, "killed")
    assert rows["docs"]["memory_usage_mb"] > 0
    assert "exited (137): killed" in shared("ps").stdout.decode()
    assert [row["project"] for row in json.loads(shared("stats", "--json").stdout)] == ["docs"]
    assert shared("stats", "gone").returncode == 1
    assert shared("rm", "gone", "--yes").returncode == 0


@pytest.mark.parametrize(("words", "column"), [("ps --watch", "OWNERS"), ("stats", "PIDS"), ("stats docs", "PIDS")])
def test_a_live_table_is_drawn_again_and_ctrl_c_gives_the_terminal_back(shared, words, column):
    with shared.terminal(*words.split()) as terminal:
        before = termios.tcgetattr(terminal.child_fd)
        terminal.expect(HIDES_CURSOR.replace(b"?", b"\\?").replace(b"[", b"\\["))
        for _drawing in range(2):
            terminal.expect(column)
            terminal.expect("docs")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        rest = terminal.before
        terminal.wait()
        assert terminal.exitstatus == 130
        assert SHOWS_CURSOR in rest
        assert b"Traceback" not in rest
        assert before[3] & termios.ECHO
        assert before[3] & termios.ICANON


def test_a_live_table_shows_what_changed_meanwhile(shared):
    with shared.terminal("ps", "-w") as terminal:
        terminal.expect("docs")
        with shared.start("exec", "docs", "--", "sleep", "611") as running:
            terminal.expect("1 command")
            running.terminate()
            running.communicate(timeout=60)
        terminal.sendintr()
        terminal.expect(pexpect.EOF)


def test_stats_is_once_where_nobody_watches(shared):
    assert len(shared("stats").stdout.splitlines()) == 2
    with shared.terminal("stats", "--no-stream") as terminal:
        terminal.expect("docs")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0


def test_logs_follow_until_ctrl_c(shared):
    container = shared.box.containers()[0]
    say = ["bash", "-c", "echo $0 > /proc/1/fd/1"]
    container.exec_run([*say, "before"], user="claude")
    with shared.terminal("logs", "docs", "--follow", "--tail", "1") as terminal:
        terminal.expect("before")
        container.exec_run([*say, "after"], user="claude")
        terminal.expect("after")
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 130
    assert shared("logs", "docs", "-n", "2").stdout == b"before\nafter\n"
    assert re.match(rb"20\d\d-\d\d-\d\dT[\d:.]+Z after\n$", shared("logs", "docs", "-t", "-n", "1").stdout)
    assert shared("logs", "docs", "--since", "2030-01-01").stdout == b""
    assert b"before" in shared("logs", "docs", "--since", "1h", "-n", "all").stdout


def test_events_follow_what_another_process_does(shared):
    with shared.terminal("events", "-f", "-n", "0", "--project", "docs") as terminal:
        terminal.expect(pexpect.TIMEOUT, timeout=0.1)
        wait_until(lambda: shared("exec", "docs", "--", "true").returncode == 0 and _shows(terminal, "run.started docs"), timeout=60)
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 130


def _shows(terminal, text):
    return terminal.expect([text, pexpect.TIMEOUT], timeout=2) == 0


def test_events_are_a_list_or_an_object_a_line(shared):
    listed = json.loads(shared("events", "--json", "-n", "3").stdout)
    assert [event["id"] for event in listed] == sorted(event["id"] for event in listed)
    assert json.loads(shared("events", "--json", "--since", "2030-01-01").stdout) == []
    with shared.start("events", "--json", "-f", "-n", "2") as follower:
        lines = [json.loads(follower.stdout.readline()) for _line in range(2)]
        follower.terminate()
        follower.communicate(timeout=60)
    assert [line["id"] for line in lines] == [event["id"] for event in listed[-2:]]
    assert follower.returncode == 143


def test_runs_lists_the_newest_first_and_output_gives_their_bytes(shared):
    shared("exec", "docs", "--", "bash", "-c", "echo one; echo two >&2; exit 3")
    newest = json.loads(shared("runs", "docs", "--json", "-n", "1").stdout)[0]
    assert (newest["project"], newest["state"], newest["exit_code"]) == ("docs", "finished", 3)
    short = newest["id"].replace("-", "")[:12]
    assert shared("runs", "-q", "-n", "1").stdout.decode() == f"{short}\n"
    for name in (short, newest["id"], short[:9]):
        done = shared("output", name)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"one\n", b"two\n")
    assert b"finished (3)" in shared("runs").stdout
    assert b"finished (3) already" in shared("kill", short).stdout


def test_kill_ends_a_run_of_another_process_and_output_follows_it(shared):
    with shared.start("exec", "docs", "--", "bash", "-c", "echo ready; sleep 612") as running:
        assert running.stdout.readline() == b"ready\n"
        short = shared("runs", "-q", "-n", "1").stdout.decode().strip()
        with shared.start("output", "-f", short) as follower:
            assert follower.stdout.readline() == b"ready\n"
            assert b"killed" in shared("kill", short).stdout
            assert follower.wait(timeout=60) == 0
        assert running.wait(timeout=60) == 137


STATUSES = {"true": 0, "exit 7": 7, "/etc/passwd": 126, "no-such-program": 127, "kill -9 $$": 137}


@pytest.mark.parametrize(("words", "status"), STATUSES.items())
def test_exec_passes_every_kind_of_status_on_in_a_terminal(shared, words, status):
    with shared.terminal("exec", "docs", "--", "bash", "-c", words) as terminal:
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == status


def test_two_hundred_megabytes_go_through_byte_for_byte(shared):
    size = 200 * 1000 * 1000
    command = f"head -c {size} /dev/urandom | tee >(sha256sum >&2); wait"
    digest = hashlib.sha256()
    with shared.start("exec", "docs", "--", "bash", "-c", f"set -o pipefail; {command}") as running:
        while piece := running.stdout.read(1 << 20):
            digest.update(piece)
        said = running.stderr.read().decode()
        assert running.wait(timeout=60) == 0, said
    assert said.split()[0] == digest.hexdigest()
