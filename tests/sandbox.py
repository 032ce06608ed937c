"""A hub of its own for one test: data directory, workspace roots, name prefix, database; separate processes share it."""

import atexit
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import uuid
from pathlib import Path
from typing import Any

import docker

ROOT = Path(__file__).resolve().parent.parent
PREAMBLE = """
import django, os, sys, json
django.setup()
from django.conf import settings
from projects.models import *
from projects.services.record import Actor
from projects.services import lifecycle
ACTOR = Actor(name="test")
"""


@functools.cache
def _template() -> Path:
    directory = Path(tempfile.mkdtemp(prefix="containerhub-template-"))
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return directory / "hub.sqlite3"


class Sandbox:
    """Everything that it makes on the Engine bears its prefix; `clean` removes only that."""

    def __init__(self, directory: Path, *, docker_host: str = "", **variables: str) -> None:
        self.directory = directory
        self.prefix = f"t{uuid.uuid4().hex[:8]}"
        self.data_dir = directory / "data"
        self.roots = directory / "roots"
        self.roots.mkdir(parents=True, exist_ok=True)
        self.home = directory / "home"
        self.home.mkdir(exist_ok=True)
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith(("CONTAINERHUB_", "DOCKER_", "PYTEST_"))},
            "DJANGO_SETTINGS_MODULE": "containerhub.settings",
            "CONTAINERHUB_DATA_DIR": str(self.data_dir),
            "CONTAINERHUB_WORKSPACE_ROOTS": str(self.roots),
            "CONTAINERHUB_NAME_PREFIX": self.prefix,
            "CONTAINERHUB_ENGINE_TIMEOUT_SECONDS": "20",
            "HOME": str(self.home),
            "PYTHONPATH": str(ROOT),
            **({"DOCKER_HOST": docker_host} if docker_host else {}),
            **variables,
        }

    def migrate(self) -> None:
        """An empty database: made once per test run, then copied, since the migrations take seconds."""
        template = _template()
        if not template.exists():
            self.manage("migrate", "--verbosity=0")
            self.manage("createcachetable")
            shutil.copy(self.data_dir / "hub.sqlite3", template)
        self.data_dir.mkdir(mode=0o700, exist_ok=True)
        shutil.copy(template, self.data_dir / "hub.sqlite3")

    def manage(self, *arguments: str) -> str:
        return self._run([sys.executable, str(ROOT / "manage.py"), *arguments])

    def python(self, code: str, **variables: str) -> Any:
        """Run `code` in a process of its own with Django set up; what it passes to `answer(…)` comes back."""
        output = self._run([sys.executable, "-c", self.script(code)], **variables)
        lines = [line for line in output.splitlines() if line.startswith("ANSWER ")]
        return json.loads(lines[-1].removeprefix("ANSWER ")) if lines else None

    def start(self, code: str, **variables: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", self.script(code)],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @staticmethod
    def script(code: str) -> str:
        answer = "\ndef answer(value): print('ANSWER ' + json.dumps(value), flush=True)\n"
        return PREAMBLE + answer + textwrap.dedent(code)

    def workspace(self, name: str, *, uid: int = 1000) -> Path:
        path = self.roots / name
        path.mkdir()
        os.chown(path, uid, uid)
        return path

    def add_project(self, slug: str, *, uid: int = 1000, **fields: object) -> None:
        path = self.workspace(slug, uid=uid)
        self.python(f"Project.objects.create(slug={slug!r}, name={slug!r}, path={str(path)!r}, **{fields!r})")

    def containers(self) -> list[Any]:
        """What stands on the real Engine under this prefix, predecessors too."""
        found = docker.from_env().containers.list(all=True, ignore_removed=True, filters={"name": f"^/{self.prefix}-"})
        return sorted(found, key=lambda container: container.name)

    def clean(self) -> None:
        client = docker.from_env()
        for container in client.containers.list(all=True, ignore_removed=True, filters={"name": f"^/{self.prefix}-"}):
            container.remove(force=True)
        for network in client.networks.list(names=[f"{self.prefix}-net"]):
            network.remove()

    def _run(self, command: list[str], **variables: str) -> str:
        done = subprocess.run(
            command, env={**self.environment, **variables}, capture_output=True, text=True, timeout=240, stdin=subprocess.DEVNULL
        )
        if done.returncode:
            raise AssertionError(f"{command[:2]} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}")
        return done.stdout
