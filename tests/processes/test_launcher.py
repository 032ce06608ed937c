"""What a launcher ends: leftovers before it starts, and everything below it when it goes."""

import os
import signal
import subprocess
import sys

import pytest

from containerhub import processes
from containerhub.processes import is_gone
from tests.sandbox import ROOT
from tests.support import first_number, wait_until

# Starts a child of another session, which says its number, and ignores every polite request.
DEAF = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1, flush=True); time.sleep(600)"
STUBBORN = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {DEAF!r}], start_new_session=True, stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(600)
"""
LAUNCH = f"""
import sys
from containerhub import launcher
launcher.command_of = lambda role: [sys.executable, "-c", {STUBBORN!r}]
sys.exit(launcher.main("watcher"))
"""


def marks(data_dir) -> dict[str, str]:
    return {**os.environ, processes.ROLE: "watcher", processes.DATA_DIR: str(data_dir)}


@pytest.fixture
def launch(tmp_path):
    """Start a launcher over the stubborn program; the launcher, and the number of the program's child."""
    started = []

    def start(**popen):
        environment = {**marks(tmp_path), processes.LAUNCHER: "1"}
        launcher = subprocess.Popen([sys.executable, "-c", LAUNCH], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True, **popen)
        started.append(launcher)
        return launcher, first_number(launcher)

    yield start
    for launcher in started:
        launcher.kill()
        launcher.communicate()
    processes.end_leftovers("watcher", tmp_path)


def test_a_stop_ends_even_what_refuses_and_hides_in_another_session(launch):
    launcher, grandchild = launch()
    launcher.send_signal(signal.SIGTERM)
    assert launcher.wait(5) == 128 + signal.SIGKILL
    assert is_gone(grandchild)


def test_a_start_ends_what_a_killed_launcher_left(launch, tmp_path):
    launcher, left = launch()
    launcher.kill()
    launcher.wait()
    assert not is_gone(left)
    _, another = launch()
    assert is_gone(left)
    assert not is_gone(another)


def test_leftovers_of_another_role_or_data_directory_are_not_ours(launch, tmp_path):
    launcher, grandchild = launch()
    assert processes.end_leftovers("web", tmp_path) == 0
    assert processes.end_leftovers("watcher", tmp_path / "other") == 0
    assert launcher.poll() is None
    assert not is_gone(grandchild)


def test_a_launcher_ends_with_its_parent(tmp_path):
    environment = {**marks(tmp_path), processes.LAUNCHER: "1"}
    code = f"""
import subprocess, sys
launcher = subprocess.Popen([sys.executable, "-c", {LAUNCH!r}], stdout=subprocess.PIPE)
launcher.stdout.readline()
print(launcher.pid, flush=True)
launcher.wait()
"""
    with subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as parent:
        launcher = first_number(parent)
        parent.kill()
    wait_until(lambda: is_gone(launcher) and not processes.role_pids("watcher", tmp_path), 5, reason="the launcher lives on")


def test_an_unknown_role_is_refused(tmp_path):
    done = subprocess.run([sys.executable, "-m", "containerhub.launcher", "cook"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert "web|worker|watcher" in done.stderr
