"""A served hub with a running container, for all live tests of the sockets."""

import contextlib
import socket
import subprocess
import sys
from dataclasses import dataclass

import httpx
import pytest

from tests.cast import cast, fake_engine, pages
from tests.sandbox import Sandbox
from tests.support import wait_until

__all__ = ["Served", "cast", "fake_engine", "pages"]


@dataclass
class Served:
    box: Sandbox
    port: int
    keys: dict[str, str]

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def container(self):
        return next(found for found in self.box.containers() if found.name.endswith("-web"))

    def clients(self) -> list[str]:
        """The tmux clients in the container."""
        return self.run("tmux", "-L", "hub", "list-clients", "-F", "#{session_name} #{client_tty}").splitlines()

    def run(self, *command: str) -> str:
        output: bytes = self.container.exec_run(list(command), user="claude").output
        return output.decode()

    def start(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "uvicorn", "containerhub.asgi:application", "--port", str(self.port), "--lifespan", "off"]
        log = self.box.directory / "web.log"
        with log.open("ab") as output:
            server = subprocess.Popen(
                [*command, "--ws-max-size", "1048576", "--timeout-graceful-shutdown", "2"],
                env={**self.box.environment, "CONTAINERHUB_PORT": str(self.port)},
                stdout=output,
                stderr=output,
            )
        wait_until(self._answers, 60, reason=lambda: f"the hub serves: {log.read_text()[-2000:]}")
        return server

    def _answers(self) -> bool:
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://{self.address}/healthz").status_code == 200
        return False


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    box = Sandbox(tmp_path_factory.mktemp("hub"))
    box.migrate()
    box.python("""
        from django.core.management import call_command
        call_command("collectstatic", interactive=False, verbosity=0)
    """)
    box.add_project("web")
    keys = box.python("""
        from django.contrib.auth import get_user_model
        from projects.services.tokens import make_token
        make = get_user_model().objects.create_user
        project, keys = Project.objects.get(slug="web"), {}
        for name in ("operator", "viewer", "stranger"):
            user = make(name)
            if name != "stranger":
                Membership.objects.create(project=project, user=user, role=name)
            keys[name] = make_token(user=user, name="live", actor=ACTOR)[1]
        lifecycle.ensure_container(project=project, actor=ACTOR)
        answer(keys)
    """)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    served = Served(box, port, keys)
    server = served.start()
    try:
        yield served
    finally:
        server.terminate()
        server.wait(20)
        box.clean()
