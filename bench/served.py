"""The hub's web process as it is served, beside a terminado, with a few projects that a token may use."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
from django.conf import settings
from django.contrib.auth import get_user_model

from bench.lines import PROGRAM
from bench.places import free_port, remove_ours
from projects.models import Project
from projects.services.lifecycle import ensure_container
from projects.services.record import Actor
from projects.services.spec import container_name
from projects.services.tokens import make_token

ACTOR = Actor(name="bench")
START_SECONDS = 90


@dataclass(frozen=True)
class Served:
    port: int
    terminado_port: int
    key: str
    slugs: tuple[str, ...]
    pid: int

    def container(self, slug: str) -> str:
        return f"{settings.CONTAINERHUB.name_prefix}-{slug}"

    def inside(self, slug: str, *command: str) -> bytes:
        """What a command in the project's container prints."""
        done = subprocess.run(["docker", "exec", "--user=claude", self.container(slug), *command], capture_output=True, check=False)
        return done.stdout

    def rss_mb(self) -> float:
        """Of the web process."""
        fields = dict(line.split(":", 1) for line in Path(f"/proc/{self.pid}/status").read_text().splitlines())
        return int(fields["VmRSS"].split()[0]) / 1024


@contextlib.contextmanager
def served(directory: Path, projects: int) -> Iterator[Served]:
    """Stopped and removed afterwards."""
    user = get_user_model().objects.create_superuser("bench", password=os.urandom(12).hex())
    key = make_token(user=user, name="bench", actor=ACTOR)[1]
    log = directory / "web.log"
    with log.open("wb") as output, contextlib.ExitStack() as stack:
        stack.callback(remove_ours)
        made = [_project(directory, f"console-{number}") for number in range(projects)]
        port, other = free_port(), free_port()
        environment = {**os.environ, "CONTAINERHUB_PORT": str(port)}
        web = _started(stack, [sys.executable, "-m", "containerhub.launcher", "web"], environment, output)
        command = [sys.executable, "-m", "bench.terminado_server", str(other), container_name(made[0], settings.CONTAINERHUB)]
        _started(stack, command, dict(os.environ), output)
        for address in (f"http://127.0.0.1:{port}/healthz", f"http://127.0.0.1:{other}/"):
            _wait(address, log)
        program = int(Path(f"/proc/{web.pid}/task/{web.pid}/children").read_text().split()[0])
        yield Served(port, other, key, tuple(project.slug for project in made), program)


def _project(directory: Path, slug: str) -> Project:
    workspace = directory / "roots" / slug
    workspace.mkdir(parents=True)
    (workspace / "lines.py").write_text(PROGRAM)
    os.chown(workspace, 1000, 1000)
    project = Project.objects.create(slug=slug, name=slug, path=str(workspace))
    ensure_container(project=project, actor=ACTOR)
    return project


def _started(stack: contextlib.ExitStack, command: list[str], environment: dict[str, str], output: object) -> "subprocess.Popen[bytes]":
    server = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)  # type: ignore[call-overload]
    stack.callback(server.wait, 30)
    stack.callback(server.terminate)
    return server  # type: ignore[no-any-return]


def _wait(address: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address, timeout=5)
            return
        time.sleep(0.2)
    raise AssertionError(f"Nothing answers at {address}:\n{log.read_text()[-2000:]}")
