import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.sandbox import ROOT, Sandbox
from tests.support import wait_until

LABEL = f"io.containerhub.test={uuid.uuid4().hex}"
CONTEXT = ROOT / "docker"


def docker(*arguments: str, check: bool = True, **options) -> "subprocess.CompletedProcess[str]":
    """The docker command line: unlike the SDK's reader it loses no output under load."""
    environment = {**os.environ, "DOCKER_BUILDKIT": "0"}
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, timeout=280, env=environment, **options)
    if check and done.returncode:
        raise AssertionError(f"docker {' '.join(arguments)} ended with {done.returncode}:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    return done


@dataclass(frozen=True)
class Running:
    docker_id: str

    def run(self, *command: str, user: str = "claude", check: bool = True, **environment: str) -> "subprocess.CompletedProcess[str]":
        variables = [part for name, value in environment.items() for part in ("-e", f"{name}={value}")]
        return docker("exec", "-u", user, *variables, self.docker_id, *command, check=check)

    def sh(self, script: str, **options) -> str:
        return self.run("sh", "-c", script, **options).stdout.strip()

    def logs(self) -> str:
        done = docker("logs", self.docker_id)
        return done.stdout + done.stderr

    def wait_ready(self) -> None:
        """Until init-project has done its work and become `sleep`."""
        wait_until(lambda: "sleep infinity" in docker("top", self.docker_id, "-eo", "pid,args").stdout, 20, reason=self.logs())


Start = Callable[..., Running]


@pytest.fixture(scope="session")
def base_image(tmp_path_factory) -> str:
    """The base image, built by the hub where it is not on the Engine yet."""
    image = os.environ.get("CONTAINERHUB_BASE_IMAGE", "claude-dev-base:latest")
    if docker("image", "inspect", image, check=False).returncode:
        box = Sandbox(tmp_path_factory.mktemp("build"))
        box.migrate()
        box.python(
            "from projects.services.images import build_image\nbuild = build_image(actor=ACTOR)\nassert build.image_id, build.message"
        )
    return image


@pytest.fixture(scope="module")
def start(base_image, variant) -> Iterator[Start]:
    """Containers of the base image, or of another, as the hub starts them; removed after the module, before variants."""
    started: list[str] = []

    def run(*options: str, image: str = base_image, command: tuple[str, ...] = (), ready: bool = True) -> Running:
        done = docker("run", "-d", "--init", "--label", LABEL, "--network", "none", *options, image, *command)
        started.append(done.stdout.strip())
        found = Running(started[-1])
        if ready:
            found.wait_ready()
        return found

    yield run
    if started:
        docker("rm", "-f", *started)


@pytest.fixture(scope="module")
def container(start: Start) -> Running:
    return start()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    path = tmp_path / "workspace"
    path.mkdir()
    os.chown(path, 1000, 1000)
    return path


@pytest.fixture(scope="module")
def variant(base_image) -> Iterator[Callable[..., str]]:
    """Variants built as the hub builds them, from any image, removed after the module."""
    made: list[str] = []

    def build(uid: int, gid: int, image: str = base_image) -> str:
        tag = f"containerhub-test:{uuid.uuid4().hex[:12]}"
        numbers = ["--build-arg", f"UID={uid}", "--build-arg", f"GID={gid}"]
        docker("build", "-q", "-t", tag, "-f", str(CONTEXT / "variant/Dockerfile"), "--build-arg", f"BASE={image}", *numbers, str(CONTEXT))
        made.append(tag)
        return tag

    yield build
    for tag in made:
        docker("rmi", "-f", tag)
