"""A Docker Engine of a test's own, in a network namespace of its own, that it may stop and start again."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import docker

from containerhub.bootstrap.run import die_with_parent
from tests.processes.stack import children
from tests.support import wait_until

IMAGE = "debian:bookworm-slim"


class PrivateEngine:
    """`host` is its address, as DOCKER_HOST has it. Everything of it stands in `directory`."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "docker.sock"
        self.host = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Ready afterwards. Its namespaces end with `unshare`, and with them all that it runs and mounts."""
        namespaces = ["unshare", "--net", "--mount", "--pid", "--mount-proc", "--fork", "--kill-child"]
        places = [f"--data-root={self.directory}/data", f"--exec-root={self.directory}/exec", f"--pidfile={self.directory}/pid"]
        with (self.directory / "dockerd.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*namespaces, "dockerd", f"--host={self.host}", *places],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=die_with_parent,
            )
        wait_until(self._answers, 60, reason=lambda: (self.directory / "dockerd.log").read_text()[-2000:])

    def stop(self) -> None:
        """Its containers end with it, as with every Engine that is stopped."""
        if self._process is not None:
            for pid in children(self._process.pid):
                os.kill(pid, signal.SIGTERM)
            self._process.wait(60)
            self._process = None

    def take_image(self) -> None:
        """Copy the plain base image from the machine's own Engine."""
        with subprocess.Popen(["docker", "save", IMAGE], stdout=subprocess.PIPE) as saved:
            subprocess.run(["docker", "load"], stdin=saved.stdout, check=True, env={**os.environ, "DOCKER_HOST": self.host}, timeout=120)

    @contextmanager
    def client(self) -> Iterator[docker.DockerClient]:
        with closing(docker.DockerClient(base_url=self.host, version="auto")) as client:
            yield client

    def _answers(self) -> bool:
        done = subprocess.run(["docker", "version"], capture_output=True, env={**os.environ, "DOCKER_HOST": self.host})
        return done.returncode == 0
