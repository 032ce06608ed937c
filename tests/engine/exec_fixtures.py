"""A running container of the base image, as a project has it, and what the tests of execs do with it."""

import contextlib
import gc
import os
import subprocess
import sys
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.engine.base import MARKER_VARIABLE, ExecSpec
from projects.states import Stream
from tests.engine.lab import Lab


@pytest.fixture
def base_image() -> str:
    return os.environ.get("CONTAINERHUB_BASE_IMAGE") or "claude-dev-base:latest"


@pytest.fixture
def box(live: Lab, base_image: str) -> str:
    """The docker_id of a running container with bash, sudo and a user `claude`."""
    return live.running(image=base_image, user="claude", pids_limit=200, memory_limit_bytes=256 << 20)


def asked(*command: str, marker: str = "", **fields: object) -> ExecSpec:
    """A spec in the root directory, as `claude`."""
    environment = {MARKER_VARIABLE: marker} if marker else {}
    return ExecSpec(command, **({"working_dir": "/", "environment": environment} | fields))  # type: ignore[arg-type]


def new_marker() -> str:
    return uuid.uuid4().hex


class Heard:
    """A sink that keeps all."""

    def __init__(self) -> None:
        self.stdout = bytearray()
        self.stderr = bytearray()

    def __call__(self, stream: Stream, data: memoryview) -> None:
        (self.stdout if stream is Stream.STDOUT else self.stderr).extend(data)


def ignore(stream: Stream, data: memoryview) -> None:
    pass


def commands_in(live: Lab, box: str) -> list[str]:
    return [process.command for process in live.engine.containers.processes(box)]


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """Every core of this machine at work."""
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def open_descriptors() -> int:
    """Sockets that this process holds."""
    held = 0
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            held += os.readlink(entry).startswith("socket:")
    return held


@contextlib.contextmanager
def unconnected_sockets_dropped() -> Iterator[None]:
    """The SDK drops a unix socket that could not connect without closing it: let it go here, and quietly."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()
