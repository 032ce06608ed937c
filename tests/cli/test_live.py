"""`hub` on the real Engine, as a process of its own."""

import json
import os
import signal

import docker
import pexpect
import pytest

from tests.support import wait_until

pytestmark = pytest.mark.live


@pytest.fixture
def project(sandbox, hub):
    """A project with a running container."""
    sandbox.add_project("docs")
    done = hub("ensure", "docs")
    assert done.returncode == 0, done.stderr.decode()
    return "docs"


def processes_with(sandbox, text: str) -> list[str]:
    """Command lines in the container that contain it."""
    listing = docker.from_env().containers.get(f"{sandbox.prefix}-docs").top(ps_args="-eo pid,args")
    return [row[1] for row in listing["Processes"] if text in row[1]]


def test_ensure_makes_the_container_and_says_so_once(sandbox, hub):
    sandbox.add_project("docs")
    first, second = hub("ensure", "docs", "--json"), hub("ensure", "docs", "--json")
    assert (first.returncode, second.returncode) == (0, 0), first.stderr
    answer = json.loads(first.stdout)
    assert answer == json.loads(second.stdout)
    assert answer["status"] == "running"
    assert [c.id[:12] for c in sandbox.containers()] == [answer["container_id"]]


@pytest.mark.parametrize("status", [0, 7, 137])
def test_exec_passes_the_commands_own_status_on(hub, project, status):
    assert hub("exec", project, "--", "bash", "-c", f"exit {status}").returncode == status


def test_exec_keeps_stdout_and_stderr_apart(hub, project):
    done = hub("exec", project, "--", "bash", "-c", "echo out; echo err >&2; echo out again")
    assert (done.stdout, done.stderr) == (b"out\nout again\n", b"err\n")


def test_exec_hands_its_words_over_exactly_as_typed(hub, project):
    words = ["two words", "$HOME", "a'b", 'c"d', "*", "", "new\nline", "ümlaut", "-x", "a|b"]
    done = hub("exec", project, "--", "printf", "<%s>", *words)
    assert done.stdout.decode() == "".join(f"<{word}>" for word in words)


def test_exec_gives_every_byte_of_a_large_output(hub, project):
    done = hub("exec", project, "--", "bash", "-c", "head -c 30000000 /dev/zero; head -c 1000 /dev/zero >&2")
    assert (done.returncode, len(done.stdout), len(done.stderr)) == (0, 30_000_000, 1000)


def test_exec_shows_output_while_the_command_still_runs(hub, project, sandbox):
    with hub.start("exec", project, "--", "bash", "-c", "echo first; read < <(sleep 600)") as running:
        assert running.stdout.readline() == b"first\n"
        assert running.poll() is None
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGTERM
    assert processes_with(sandbox, "sleep 600") == []


def test_exec_that_takes_too_long_exits_as_timeout_does(hub, project, sandbox):
    done = hub("exec", project, "--timeout", "1", "--", "sleep", "601")
    assert done.returncode == 124
    assert done.stderr.startswith(b"hub: ")
    assert processes_with(sandbox, "sleep 601") == []


def test_exec_enters_the_workdir_and_refuses_one_that_is_not_there(hub, project):
    assert hub("exec", project, "--workdir", "/usr/lib", "--", "pwd").stdout == b"/usr/lib\n"
    assert hub("exec", project, "-w", "/nowhere", "--", "pwd").returncode != 0


def test_ctrl_c_ends_the_whole_tree_and_exits_130(hub, project, sandbox):
    command = "setsid sleep 602 & sleep 603 & echo ready; wait"
    words = [*hub.command[1:], "exec", project, "--", "bash", "-c", command]
    with pexpect.spawn(hub.command[0], words, env=sandbox.environment, timeout=60) as terminal:
        terminal.expect("ready")
        wait_until(lambda: len(processes_with(sandbox, "sleep 60")) >= 2, timeout=10)
        terminal.sendintr()
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 130
    assert processes_with(sandbox, "sleep 60") == []


def test_a_reader_that_goes_away_ends_the_command(hub, project, sandbox):
    with hub.start("exec", project, "--", "bash", "-c", "yes sleep-604") as running:
        running.stdout.read(100)
        running.stdout.close()
        assert running.wait(timeout=60) == 128 + signal.SIGPIPE
    assert processes_with(sandbox, "yes") == []


def test_exec_in_a_stopped_container_is_refused_in_one_line(hub, project):
    assert hub("stop", project).returncode == 0
    done = hub("exec", project, "--", "true")
    assert done.returncode == 1
    assert done.stderr.startswith(b"hub: ")
    assert done.stderr.count(b"\n") == 1


def test_ps_shows_what_the_engine_says_now(hub, project, sandbox):
    sandbox.containers()[0].kill()
    (row,) = json.loads(hub("ps", "--json").stdout)
    assert (row["project"], row["status"]) == ("docs", "exited")
    assert b"docs" in hub("ps").stdout


def test_stats_of_a_running_container_have_numbers(hub, project):
    done = hub("stats", project, "--json")
    assert done.returncode == 0, done.stderr.decode()
    (row,) = json.loads(done.stdout)
    assert row["project"] == "docs"
    assert row["memory_usage_mb"] > 0
    assert row["pids"] >= 1
    assert hub("stop", project).returncode == 0
    assert hub("stats", project).returncode == 1
    assert json.loads(hub("stats", "--json").stdout) == []


def test_the_containers_life_from_the_shell(hub, project, sandbox):
    for verb, status in (("stop", "exited"), ("start", "running"), ("restart", "running"), ("refresh", "refreshed")):
        done = hub(verb, project, "--json")
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout)["status"] == status
    assert hub("logs", project).returncode == 0


def test_remove_asks_first_and_leaves_the_directory(hub, project, sandbox):
    refused = hub("rm", project, stdin="n\n")
    assert refused.returncode == 1
    assert len(sandbox.containers()) == 1
    assert hub("rm", project, "--container", "--yes").returncode == 0
    assert sandbox.containers() == []
    assert hub("rm", project, stdin="y\n").returncode == 0
    assert json.loads(hub("ps", "--json").stdout) == []
    assert (sandbox.roots / "docs").is_dir()


def test_cleanup_shows_first_and_removes_only_when_told(hub, project, sandbox):
    assert b"would be removed" in hub("cleanup").stdout
    assert hub("cleanup", "--no-dry-run", stdin="n\n").returncode == 1
    assert len(sandbox.containers()) == 1
    assert hub("cleanup", "--no-dry-run", "--yes").returncode == 0
    assert sandbox.containers() == []


def test_chown_gives_the_workspace_to_another(hub, sandbox):
    sandbox.add_project("docs", uid=0)
    (sandbox.roots / "docs" / "file").write_text("x")
    assert hub("ensure", "docs").returncode == 1
    done = hub("chown", "docs", "--uid", "1234", "--yes")
    assert done.returncode == 0, done.stderr
    assert os.stat(sandbox.roots / "docs" / "file").st_uid == 1234


def test_doctor_finds_the_engine_and_the_image(hub, sandbox):
    found = {finding["check"]: finding for finding in json.loads(hub("doctor", "--json").stdout)}
    assert "Docker" in found["engine"]["message"]
    assert found["base image"]["message"].startswith("claude-dev-base:latest")
    assert found["network"]["ok"] is True
    assert found["database"]["ok"] is True


def test_doctor_exits_with_1_when_something_is_an_error(hub, sandbox):
    assert hub("doctor").returncode == 0
    (sandbox.data_dir / "secret-key").chmod(0o644)
    done = hub("doctor")
    assert done.returncode == 1
    assert b"chmod go=" in done.stdout


def test_an_engine_that_is_not_there_is_69_and_one_line(hub, sandbox, tmp_path):
    sandbox.add_project("docs")
    sandbox.environment["DOCKER_HOST"] = f"unix://{tmp_path}/no.sock"
    for words in (("ensure", "docs"), ("exec", "docs", "--", "true"), ("ps",)):
        done = hub(*words)
        assert done.returncode == 69, (words, done.stderr)
        assert done.stderr.startswith(b"hub: ")
        assert done.stderr.count(b"\n") == 1
    assert hub("doctor").returncode == 1
