"""A served hub with a running container: the very web process that the launcher starts, on a port of its own."""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.sandbox import ROOT, Sandbox
from tests.support import wait_until

APPLICATION = "containerhub.asgi:application"
TASKS_PATH = "/asyncio-tasks"
"""Where `tests.consumers.watched` answers."""
SERVE = """
import os, sys
from containerhub.launcher import web_command
command = [sys.argv[1] if word == "containerhub.asgi:application" else word for word in web_command()]
os.execv(command[0], command)
"""


@dataclass
class Served:
    box: Sandbox
    port: int
    keys: dict[str, str]
    slug: str = "web"

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def container(self):
        return next(found for found in self.box.containers() if found.name.endswith(f"-{self.slug}"))

    def clients(self, session: str = "") -> list[str]:
        """The tmux clients in the container, or of one session there: the name of its session and its terminal."""
        found = self.run("tmux", "-L", "hub", "list-clients", "-F", "#{session_name} #{client_tty}").splitlines()
        return [client for client in found if session in ("", client.split()[0])]

    def run(self, *command: str) -> str:
        output: bytes = self.container.exec_run(list(command), user="claude").output
        return output.decode()

    def start(self, application: str = APPLICATION) -> "subprocess.Popen[bytes]":
        """The web process as the launcher starts it."""
        with self.log.open("ab") as output:
            server = subprocess.Popen(
                [sys.executable, "-c", SERVE, application],
                env={**self.box.environment, "CONTAINERHUB_PORT": str(self.port)},
                cwd=ROOT,
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, 60, reason=lambda: f"the hub serves: {self.story()}")
        return server

    @property
    def log(self) -> Path:
        return self.box.directory / f"web-{self.port}.log"

    def story(self) -> str:
        return self.story_whole()[-3000:]

    def story_whole(self) -> str:
        return self.log.read_text(errors="replace")

    def beside(self) -> "Served":
        """The same hub, for another web process on another port."""
        return Served(self.box, free_port(), self.keys)

    @contextlib.contextmanager
    def serving(self, application: str = APPLICATION) -> "Iterator[subprocess.Popen[bytes]]":
        server = self.start(application)
        try:
            yield server
        finally:
            server.terminate()
            server.wait(20)

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://{self.address}/healthz").status_code == 200
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
