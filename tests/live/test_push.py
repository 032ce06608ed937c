"""A commit made in a container is pushed to a real git server over HTTPS with a token; another host gets nothing."""

import base64

import docker
import pytest

from tests.gitserver import GitServer

pytestmark = pytest.mark.live

TOKEN = "token-for-the-first-host-only"
RUN = """
from projects.services.commands import run_command
done = run_command(project=Project.objects.get(slug="demo"), actor=ACTOR, command={command!r}, timeout_seconds=60)
answer([done.exit_code, bytes(done.stdout).decode(), bytes(done.stderr).decode()])
"""


@pytest.fixture
def servers(sandbox, tmp_path):
    """Two git servers on the gateway of the containers' network, and a running project that holds a token for the first."""
    sandbox.add_project("demo")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    gateway = docker.from_env().networks.get(f"{sandbox.prefix}-net").attrs["IPAM"]["Config"][0]["Gateway"]
    made = [GitServer(tmp_path / name, address=gateway, username="x-access-token", token=TOKEN) for name in ("first", "second")]
    for server in made:
        server.start()
    (sandbox.roots / "demo" / "ca.pem").write_text("".join(server.authority for server in made))
    sandbox.python(
        "from projects.services.git_credentials import set_git_credential\n"
        f"set_git_credential(project=Project.objects.get(), host={made[0].host!r}, token={TOKEN!r}, actor=ACTOR)"
    )
    yield made
    for server in made:
        server.stop()


def test_a_commit_is_pushed_with_the_token_of_its_host(sandbox, servers):
    url = servers[0].add_repository("work")
    command = (
        "export GIT_SSL_CAINFO=/workspace/ca.pem && git init -q . && git config user.name Ada && git config user.email ada@example.com"
        f" && echo hello > file && git add file && git commit -qm 'From inside' && git push -q {url} HEAD:main && git rev-parse HEAD"
    )
    code, out, err = sandbox.python(RUN.format(command=command))
    assert code == 0, err
    assert servers[0].log_of("work") == f"{out.strip()} Ada From inside\n"
    assert TOKEN not in out + err
    clone = f"GIT_SSL_CAINFO=/workspace/ca.pem git clone -q {url} /tmp/again && cat /tmp/again/file"
    assert sandbox.python(RUN.format(command=clone)) == [0, "hello\n", ""]


def test_a_second_host_that_asks_gets_nothing(sandbox, servers):
    url = servers[1].add_repository("trap")
    code, out, err = sandbox.python(RUN.format(command=f"GIT_SSL_CAINFO=/workspace/ca.pem git clone {url} /tmp/trap"))
    assert code == 128
    assert TOKEN not in out + err
    lines = servers[1].requests()
    assert lines, "the second host was never asked"
    assert all(line.endswith("[-] [-]") for line in lines), lines
    assert base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode() not in "".join(lines)


def test_the_token_is_in_no_configuration_and_no_command_line(sandbox, servers):
    container = sandbox.containers()[0]
    assert TOKEN not in str(container.attrs)
    assert TOKEN not in container.logs().decode()
    file = f"/run/containerhub-lent/git/{servers[0].host.replace(':', '_')}"
    shown = container.exec_run(["stat", "--format=%a %U", file])
    assert shown.output == b"400 claude\n"
    assert container.exec_run(["sh", "-c", f"echo x >> {file}"], user="root").exit_code != 0
