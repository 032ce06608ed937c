"""A commit made in a container is pushed to a real SSH git server with the project's deploy key, which is nowhere to be read."""

import json
import time

import docker
import pytest

from tests.sandbox import Sandbox
from tests.sshserver import SshServer

pytestmark = pytest.mark.live
RUN = """
from projects.services.commands import run_command
done = run_command(project=Project.objects.get(slug="demo"), actor=ACTOR, command={command!r}, timeout_seconds=60)
answer([done.exit_code, bytes(done.stdout).decode(), bytes(done.stderr).decode()])
"""
KEY = """
from projects.services import deploy_keys
row = deploy_keys.{verb}_deploy_key(project=Project.objects.get(), actor=ACTOR)
answer(row and [row.public_key, row.private_key])
"""
FILE = "/run/containerhub-lent/git/_deploy-key"


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One hub for the tests of this module: its container was made before the project had a key."""
    box = Sandbox(tmp_path_factory.mktemp("hub"))
    box.migrate()
    box.add_project("demo")
    box.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    yield box
    box.clean()


@pytest.fixture(scope="module")
def server(sandbox, tmp_path_factory):
    gateway = docker.from_env().networks.get(f"{sandbox.prefix}-net").attrs["IPAM"]["Config"][0]["Gateway"]
    made = SshServer(tmp_path_factory.mktemp("ssh") / "server", address=gateway)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def key(sandbox):
    """The public and the private half of a key that the test may rotate."""
    halves = sandbox.python(KEY.format(verb="make"))
    yield halves
    sandbox.python("from projects.models import DeployKey; DeployKey.objects.all().delete()")


def run(sandbox, command):
    return sandbox.python(RUN.format(command=command))


def push(sandbox, url, subject):
    """Commit and push; exit code and stderr."""
    prepare = "cd /tmp && rm -rf work && git init -q work && cd work && git config user.name Ada && git config user.email ada@example.com"
    commit = f"echo {subject} > file && git add file && git commit -qm {subject}"
    code, _out, err = run(sandbox, f"{prepare} && {commit} && git push -q --force {url} HEAD:main")
    return code, err


def test_a_commit_is_pushed_and_the_private_half_is_nowhere(sandbox, server, key):
    began = int(time.time())
    public, private = key
    url = server.add_repository("push")
    server.authorize(public)
    assert push(sandbox, url, "pushed")[0] == 0
    assert server.log_of("push") == "pushed\n"
    (container,) = sandbox.containers()
    body = private.splitlines()[2]
    assert container.exec_run(["stat", "--format=%a %U", FILE]).output == b"400 claude\n"
    assert container.exec_run(["sh", "-c", f"echo x >> {FILE}"], user="root").exit_code != 0
    code, out, _err = run(sandbox, f"cat {FILE}; base64 -w0 {FILE} | head -c 10")
    assert code == 0
    assert body not in out
    assert "***" in out
    container.reload()
    events = docker.from_env().events(since=began, until=int(time.time()) + 1, filters={"container": container.id})
    processes = json.dumps(container.top(ps_args="-eo pid,args"))
    told = sandbox.python("answer([[e.message, str(e.details)] for e in Event.objects.all()])")
    for place in (json.dumps(container.attrs), container.logs().decode(), " ".join(map(str, events)), processes, json.dumps(told)):
        assert not any(line in place for line in private.splitlines() if len(line) > 5)


def test_another_projects_key_is_refused_without_a_question(sandbox, server, key):
    url = server.add_repository("refused")
    server.authorize("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGv8yC0yHc1Q2b8fWl3o2d2vXn9QkR0xw9P0lV3eJ5aB other")
    code, err = push(sandbox, url, "never")
    assert code == 128
    assert "Permission denied" in err
    assert server.log_of("refused") == ""


def test_a_rotated_key_pushes_and_the_old_one_no_more(sandbox, server, key):
    url = server.add_repository("rotated")
    server.authorize(key[0])
    assert push(sandbox, url, "first")[0] == 0
    new, _private = sandbox.python(KEY.format(verb="rotate"))
    assert push(sandbox, url, "second")[0] == 128, "the server knows only the old one"
    server.authorize(new)
    assert push(sandbox, url, "third")[0] == 0
    assert server.log_of("rotated") == "third\n"
    sandbox.python("from projects.services import deploy_keys; deploy_keys.remove_deploy_key(project=Project.objects.get(), actor=ACTOR)")
    assert push(sandbox, url, "fourth")[0] == 128
    assert len(sandbox.containers()) == 1


def test_a_server_whose_own_key_changed_is_refused(sandbox, server, key):
    url = server.add_repository("changed")
    server.authorize(key[0])
    assert push(sandbox, url, "before")[0] == 0
    server.stop()
    server.new_host_key()
    server.start()
    code, err = push(sandbox, url, "after")
    assert code == 128
    assert "Host key verification failed" in err
    assert server.log_of("changed") == "before\n"
