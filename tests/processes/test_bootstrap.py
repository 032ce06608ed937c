"""The front door, before anything is installed."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from containerhub.bootstrap import apt, checks, engine, venv
from containerhub.processes import is_gone
from tests.sandbox import ROOT
from tests.support import first_number, wait_until


def test_it_needs_nothing_but_the_standard_library():
    done = subprocess.run(
        [sys.executable, "-S", "-E", "-m", "containerhub.bootstrap", "nonsense"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == "Usage: python3 -m containerhub.bootstrap up|test|lint|bench|lock\n"


def outside_make() -> dict[str, str]:
    """These tests may themselves run below a make, which tells the next one by variables."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}


@pytest.mark.parametrize("target", ["up", "test", "lint", "bench", "lock"])
def test_make_calls_it_by_a_python_that_is_new_enough(target):
    done = subprocess.run(["make", "--dry-run", target], cwd=ROOT, env=outside_make(), capture_output=True, text=True, check=True)
    python, *words = done.stdout.split()
    assert words == ["-m", "containerhub.bootstrap", target]
    subprocess.run([python, "-c", "import sys; assert sys.version_info >= (3, 11)"], check=True)


def test_make_says_what_is_missing_where_no_python_is_new_enough(tmp_path):
    make = str(shutil.which("make"))
    done = subprocess.run([make, "up"], cwd=ROOT, env={"PATH": str(tmp_path)}, capture_output=True, text=True)
    assert done.returncode == 2
    assert "Python 3.11 or newer" in done.stderr


def test_the_locks_hold_hashes_and_no_address():
    for name in ("requirements/base.txt", "requirements/dev.txt", "requirements/bench.txt", "package-lock.json"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        assert "resolved" not in text
        assert "sha256:" in text or "sha512-" in text


def test_a_killed_daemon_that_left_its_number_does_not_stop_the_next(tmp_path):
    pid_file = tmp_path / "docker.pid"
    pid_file.write_text(str(os.getpid()))  # the number belongs to somebody else now
    engine.forget_dead(pid_file, "dockerd")
    assert not pid_file.exists()
    engine.forget_dead(pid_file, "dockerd")


def test_the_number_of_a_living_daemon_stays(tmp_path):
    pid_file = tmp_path / "sleep.pid"
    with subprocess.Popen(["sleep", "60"]) as daemon:
        wait_until(lambda: Path(f"/proc/{daemon.pid}/comm").read_text() == "sleep\n", reason="sleep runs under its name")
        assert engine.running("sleep")
        pid_file.write_text(f"{daemon.pid}\n")
        engine.forget_dead(pid_file, "sleep")
        daemon.kill()
    assert pid_file.exists()


def test_without_an_engine_and_without_apt_it_names_the_page_to_read(monkeypatch, capsys):
    monkeypatch.setattr(engine, "unreachable", lambda: "The Docker Engine does not answer.")
    monkeypatch.setattr(apt, "usable", lambda: False)
    monkeypatch.delenv("DOCKER_HOST", raising=False)
    with pytest.raises(SystemExit) as stopped:
        engine.prepare()
    assert stopped.value.code == 1
    assert "https://docs.docker.com/engine/install/" in capsys.readouterr().err


def test_a_named_engine_that_is_down_is_never_replaced_by_one_of_ours(monkeypatch, capsys):
    monkeypatch.setenv("DOCKER_HOST", "unix:///nonexistent.sock")
    monkeypatch.setattr(apt, "install", lambda *_: pytest.fail("installed"))
    with pytest.raises(SystemExit) as stopped:
        engine.prepare()
    assert stopped.value.code == 1
    assert "DOCKER_HOST" in capsys.readouterr().err


def test_the_stamp_changes_with_the_lock(monkeypatch, tmp_path):
    for name in ("pyproject.toml", "requirements/base.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("one")
    monkeypatch.setattr(venv, "CHECKOUT", tmp_path)
    before = venv._wanted("base")
    assert venv._wanted("base") == before
    (tmp_path / "requirements/base.txt").write_text("two")
    assert venv._wanted("base") != before


def test_each_lock_holds_all_of_the_one_before():
    kept: set[str] = set()
    for lock in venv.LOCKS:
        lines = set((ROOT / f"requirements/{lock}.txt").read_text().splitlines())
        assert kept <= lines
        kept = lines


def test_all_checks_run_and_the_first_failure_is_the_status(capsys):
    status = checks.run_all([checks.Check(name, ["sh", "-c", f"exit {code}"]) for name, code in [("a", 0), ("b", 3), ("c", 4), ("d", 0)]])
    assert status == 3
    assert "Failed: b, c" in capsys.readouterr().out


def test_tests_see_no_setting_of_the_machines_own_hub(monkeypatch):
    monkeypatch.setattr(os, "environ", {"CONTAINERHUB_PORT": "81", "CONTAINERHUB_BASE_IMAGE": "mine:1"})
    with checks.own_settings():
        assert "CONTAINERHUB_PORT" not in os.environ
        assert os.environ["CONTAINERHUB_BASE_IMAGE"] == "mine:1"
        assert os.path.isdir(os.environ["CONTAINERHUB_DATA_DIR"])


def test_a_killed_parent_ends_what_it_started():
    code = """
import subprocess, sys
from containerhub.bootstrap.run import die_with_parent
child = subprocess.Popen(["sleep", "600"], preexec_fn=die_with_parent)
print(child.pid, flush=True)
child.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        child = first_number(parent)
        parent.send_signal(signal.SIGKILL)
    wait_until(lambda: is_gone(child), 5, reason="the child lives on")
