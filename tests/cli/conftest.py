import shutil
import subprocess
import sys
from pathlib import Path

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


@pytest.fixture(scope="session")
def migrated(tmp_path_factory) -> Path:
    """A database with its tables, made once and copied for each test."""
    box = Sandbox(tmp_path_factory.mktemp("migrated"))
    box.migrate()
    return box.data_dir / "hub.sqlite3"


@pytest.fixture
def sandbox(tmp_path, migrated):
    """A migrated hub of its own; what it makes on the Engine is removed afterwards."""
    box = Sandbox(tmp_path)
    box.data_dir.mkdir(mode=0o700)
    shutil.copy(migrated, box.data_dir)
    yield box
    box.clean()


@pytest.fixture
def hub(sandbox) -> Shell:
    return Shell(sandbox)
