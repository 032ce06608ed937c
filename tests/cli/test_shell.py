"""`hub shell` in a real pseudo-terminal on the real Engine."""

import os
import signal
import termios
import time

import pexpect
import pytest

from tests.cli.conftest import Shell, made_box
from tests.support import wait_until

pytestmark = pytest.mark.live


@pytest.fixture(scope="module")
def box(tmp_path_factory, migrated):
    made = made_box(tmp_path_factory.mktemp("shell"), migrated)
    made.add_project("docs")
    assert Shell(made)("ensure", "docs").returncode == 0
    yield made
    made.clean()


@pytest.fixture
def visit(box):
    """A terminal in the session of that name, at its prompt."""
    open_ones = []

    def start(session):
        terminal = Shell(box).terminal("shell", "docs", "--session", session, encoding="utf-8")
        open_ones.append(terminal)
        terminal.expect(r"\$ ")
        return terminal

    yield start
    for terminal in open_ones:
        terminal.close(force=True)


def local_modes(terminal) -> int:
    return int(termios.tcgetattr(terminal.child_fd)[3])


def clients(box) -> list[str]:
    """The tmux clients in the container: who looks at a terminal there."""
    (container,) = box.containers()
    done = container.exec_run(["tmux", "-L", "hub", "list-clients", "-F", "#{session_name}"], user="claude")
    return str(done.output.decode()).split()


def test_it_is_a_terminal_of_our_size_and_follows_it(visit):
    terminal = visit("size")
    terminal.sendline("id -un; pwd")
    terminal.expect("claude")
    terminal.expect("/workspace")
    expect_size(terminal, "30 120")
    terminal.setwinsize(20, 90)
    expect_size(terminal, "20 90")


def expect_size(terminal, size):
    """tmux gathers resizes for a moment, and an Engine before API 1.42 is told of the first one after the start."""
    for _ in range(20):
        terminal.sendline("stty size")
        terminal.expect(r"\d+ \d+\r\n")
        if terminal.match.group().strip() == size:
            return
        time.sleep(0.1)
    raise AssertionError(f"The size never became {size}.")


def test_vim_works_in_it(visit, box):
    terminal = visit("vim")
    terminal.sendline("vim -u NONE from-vim.txt")
    terminal.expect("from-vim.txt")
    terminal.send("ityped in vim\x1b")
    terminal.send(":wq\r")
    file = box.roots / "docs" / "from-vim.txt"
    wait_until(lambda: file.exists() and file.read_text() == "typed in vim\n", 20, reason="vim wrote its file")


def test_exit_passes_the_terminal_back_as_it_was(visit, box):
    terminal = visit("ends")
    raw = local_modes(terminal)
    terminal.sendline("exit")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0
    assert raw & (termios.ICANON | termios.ECHO) == 0
    wait_until(lambda: "ends" not in clients(box), 10, reason="its client is gone")


def test_ctrl_c_is_for_the_program_and_leaving_keeps_the_shell(visit, box):
    terminal = visit("kept")
    terminal.sendline("kept=yes; sleep 700")
    terminal.expect("sleep 700")
    wait_until(lambda: any("sleep 700" in row for row in processes(box)), 10, reason="it sleeps")
    terminal.sendintr()
    wait_until(lambda: not any("sleep 700" in row for row in processes(box)), 10, reason="Ctrl-C ends it")
    terminal.send("\x1d")
    terminal.expect("goes on")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 0
    wait_until(lambda: "kept" not in clients(box), 10, reason="no client stays")
    again = visit("kept")
    again.sendline("echo it-is-$kept")
    again.expect("it-is-yes")


def processes(box) -> list[str]:
    (container,) = box.containers()
    return [row[1] for row in container.top(ps_args="-eo pid,args")["Processes"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_and_no_client_stays(visit, box, number):
    terminal = visit("told")
    os.kill(terminal.pid, number)
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert (terminal.exitstatus, terminal.signalstatus) == (128 + number, None)
    wait_until(lambda: "told" not in clients(box), 10, reason="no client stays")


def test_the_modes_of_the_keyboard_come_back_on_every_way_out(box):
    """Below a shell, which looks at them before and after."""
    hub = " ".join([*Shell(box).command, "shell", "docs", "--session", "modes"])
    script = f'a=$(stty -g); {hub}; b=$(stty -g); [ "$a" = "$b" ] && echo SAME || echo OTHER'
    for leave in ("\x1d", "exit\r"):
        with pexpect.spawn(
            "bash", ["-c", script], env={**box.environment, "TERM": "xterm-256color"}, timeout=60, encoding="utf-8"
        ) as outer:
            outer.expect(r"\$ ")
            outer.send(leave)
            assert outer.expect(["SAME", "OTHER"]) == 0


def test_a_container_that_stops_is_said_in_one_line(visit, box):
    terminal = visit("stops")
    assert Shell(box)("stop", "docs").returncode == 0
    terminal.expect("hub: the container was stopped or replaced")
    terminal.expect(pexpect.EOF)
    terminal.wait()
    assert terminal.exitstatus == 1
    refused = Shell(box).terminal("shell", "docs", encoding="utf-8")
    refused.expect("hub: .*not running")
    refused.expect(pexpect.EOF)
    refused.wait()
    assert refused.exitstatus == 1
    assert Shell(box)("start", "docs").returncode == 0


def test_without_a_terminal_it_names_the_way_for_pipes(box):
    done = Shell(box)("shell", "docs")
    assert done.returncode == 2
    assert b"hub exec" in done.stderr
