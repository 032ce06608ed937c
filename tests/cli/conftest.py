import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.sandbox import Sandbox


class Shell:
    """`hub …` as a person types it: a process of its own in a sandbox."""

    def __init__(self, box: Sandbox) -> None:
        self.box = box
        self.command = [sys.executable, "-m", "projects.cli"]

    def __call__(self, *words: str, stdin: str = "") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [*self.command, *words],
            env=self.box.environment,
            cwd=self.box.directory,
            input=stdin.encode(),
            capture_output=True,
            timeout=120,
        )

    def start(self, *words: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [*self.command, *words], env=self.box.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def terminal(self, *words: str, timeout: float = 60, **more: object) -> pexpect.spawn:
        """The same in a real pseudo-terminal of 120 columns."""
        return pexpect.spawn(
            self.command[0],
            [*self.command[1:], *words],
            env={**self.box.environment, "TERM": "xterm-256color", "COLUMNS": "80", "LINES": "24"},  # as some shells export them
            timeout=timeout,
            dimensions=(30, 120),
            preexec_fn=answer_to_ctrl_c,
            **more,
        )


def answer_to_ctrl_c() -> None:
    """As below a real terminal: tests that a shell began with & have it ignored, and their children too."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """A database with its tables, made once and copied for each test."""
    box = Sandbox(tmp_path_factory.mktemp("migrated"))
    box.migrate()
    return box.data_dir / "hub.sqlite3"


@pytest.fixture
def sandbox(tmp_path, migrated):
    """A migrated hub of its own; what it makes on the Engine is removed afterwards."""
    box = made_box(tmp_path, migrated)
    yield box
    box.clean()


@pytest.fixture(scope="module")
def shared(tmp_path_factory, migrated) -> Iterator[Shell]:
    """A hub that the tests of a module share, with a running container of the project `docs`. They leave it running."""
    box = made_box(tmp_path_factory.mktemp("shared"), migrated)
    shell = Shell(box)
    try:
        box.add_project("docs")
        done = shell("ensure", "docs")
        assert done.returncode == 0, done.stderr.decode()
        yield shell
    finally:
        box.clean()


def made_box(directory: Path, migrated: Path) -> Sandbox:
    """A hub with an empty database."""
    box = Sandbox(directory)
    box.data_dir.mkdir(mode=0o700)
    shutil.copy(migrated, box.data_dir)
    return box


@pytest.fixture
def hub(sandbox) -> Shell:
    return Shell(sandbox)
