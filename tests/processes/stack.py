"""A whole hub of its own: `manage.py up` on a free port, in a process of its own."""

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from containerhub import processes
from tests.sandbox import ROOT, Sandbox
from tests.support import wait_until

READY_SECONDS = 180


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stack:
    def __init__(self, directory: Path, **variables: str) -> None:
        self.port = free_port()
        self.box = Sandbox(directory, CONTAINERHUB_PORT=str(self.port), **variables)
        self.box.data_dir.mkdir(mode=0o700)
        self.output = directory / "up.log"
        self._up: subprocess.Popen[bytes] | None = None

    @property
    def up(self) -> "subprocess.Popen[bytes]":
        assert self._up is not None, "it was not started"
        return self._up

    # -- starting and stopping

    def start(self, *command: str) -> float:
        """Start it and wait until it is ready; the seconds that took."""
        started = time.monotonic()
        with self.output.open("wb") as output:
            self._up = subprocess.Popen(
                command or [sys.executable, str(ROOT / "manage.py"), "up"],
                cwd=ROOT,
                env=self.box.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                process_group=0,
            )
        wait_until(lambda: self.is_ready() or self.up.poll() is not None, READY_SECONDS, reason=self.story)
        assert self.up.poll() is None, self.story()
        return time.monotonic() - started

    def refused(self, **variables: str) -> "subprocess.CompletedProcess[str]":
        """A start that is to be refused."""
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), "up"],
            cwd=ROOT,
            env={**self.box.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def stop(self) -> None:
        if self._up is not None and self.up.poll() is None:
            self.up.send_signal(signal.SIGINT)
            self.up.wait(30)

    def clean(self) -> None:
        try:
            self.stop()
        finally:
            self._end_all()

    def _end_all(self) -> None:
        """Whatever the test did, nothing of it is left."""
        if self._up is not None:
            self._up.kill()
            self._up.wait()
        for role in processes.ROLES:
            processes.end_leftovers(role, self.box.data_dir)
        self.box.clean()

    # -- looking

    def get(self, path: str) -> tuple[int, bytes]:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            line.request("GET", path)
            answer = line.getresponse()
            return answer.status, answer.read()
        finally:
            line.close()

    def is_ready(self) -> bool:
        try:
            return self.get("/readyz")[0] == 200
        except OSError:
            return False

    def launcher(self, role: str) -> int | None:
        return processes.launcher_pid(role, self.box.data_dir)

    def program(self, role: str) -> int | None:
        """The real process below the launcher."""
        launcher = self.launcher(role)
        below = children(launcher) if launcher else []
        return below[0] if below else None

    def living(self) -> dict[str, list[int]]:
        found = {role: processes.role_pids(role, self.box.data_dir) for role in processes.ROLES}
        return {role: pids for role, pids in found.items() if pids}

    def supervisor(self) -> int:
        return int((self.box.data_dir / "supervisord.pid").read_text())

    def heartbeat(self, role: str) -> dict[str, Any]:
        """`started_at`, `beat_at` as ISO texts, or None."""
        code = f"""
            row = Heartbeat.objects.filter(role={role!r}).first()
            answer(row and {{"started_at": row.started_at.isoformat(), "beat_at": row.beat_at and row.beat_at.isoformat()}})
        """
        return self.box.python(code) or {"started_at": "", "beat_at": None}

    def latest(self, column: str, table: str, where: str = "1") -> datetime | None:
        """The newest moment of a column, read without a process of its own: for what is asked again and again."""
        with closing(sqlite3.connect(f"file:{self.box.data_dir / 'hub.sqlite3'}?mode=ro", uri=True, timeout=10)) as database:
            (text,) = database.execute(f"SELECT max({column}) FROM {table} WHERE {where}").fetchone()
        return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None

    def sample(self) -> tuple[str, str]:
        """The sample's container: its id, and when it started."""
        (container,) = self.box.containers()
        container.reload()
        return container.id, container.attrs["State"]["StartedAt"]

    def story(self) -> str:
        """What to read when something went wrong."""
        logs = sorted((self.box.data_dir / "log").glob("*.log"))
        parts = [path.read_text(errors="replace")[-2000:] for path in [self.output, *logs] if path.exists()]
        return "\n----\n".join(parts)


def children(pid: int) -> list[int]:
    """In the order of their birth."""
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except OSError:
        return []
    return sorted(int(word) for word in text.split())


def kill(pid: int | None) -> None:
    assert pid is not None, "there is no such process"
    os.kill(pid, signal.SIGKILL)


def ready_json(stack: Stack) -> Any:
    return json.loads(stack.get("/readyz")[1])
