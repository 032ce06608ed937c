"""A fresh hub, its answers to anybody, and what it refuses in one line."""

import re

import pytest

from tests.processes.stack import ready_json
from tests.sandbox import Sandbox

pytestmark = pytest.mark.live


def test_a_fresh_hub_is_ready_and_says_how_to_sign_in(stack):
    assert stack.get("/healthz") == (200, b"ok")
    assert ready_json(stack) == {"ready": True}
    said = stack.output.read_text()
    assert f"http://127.0.0.1:{stack.port}" in said
    (password,) = re.findall(r"Administrator admin, password (\S+)", said)
    code = f"""
        from django.contrib.auth import authenticate
        user = authenticate(username="admin", password={password!r})
        answer(user is not None and user.is_superuser)
    """
    assert stack.box.python(code) is True
    assert not any(password.encode() in path.read_bytes() for path in stack.box.data_dir.rglob("*") if path.is_file())


def test_the_sample_is_a_git_repository_of_the_container_user_and_its_container_runs(stack):
    (container,) = stack.box.containers()
    assert container.status == "running"
    done = container.exec_run(["git", "-C", "/workspace", "log", "--format=%s"], user="claude")
    assert (done.exit_code, done.output) == (0, b"A sample project\n")
    found = (stack.box.roots / "sample" / ".git").lstat()
    assert found.st_uid == 1000


def test_a_second_hub_on_the_same_data_directory_is_refused_in_one_line(stack):
    done = stack.refused(CONTAINERHUB_PORT="1")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "already" in done.stderr
    assert stack.is_ready()


def test_a_port_in_use_is_one_line_before_anything_starts(stack, own_stack):
    done = own_stack.refused(CONTAINERHUB_PORT=str(stack.port))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert f"Port {stack.port}" in done.stderr
    assert not (own_stack.box.data_dir / "hub.sqlite3").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("CONTAINERHUB_PORT", "http"), ("CONTAINERHUB_CONTAINER_MEMORY_LIMIT", "much"), ("CONTAINERHUB_WORKSPACE_ROOTS", "here:there")],
)
def test_a_bad_setting_is_one_line_that_names_it(own_stack, name, value):
    done = own_stack.refused(**{name: value})
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1
    assert name in done.stderr


def test_an_unreachable_engine_makes_it_unready_but_alive(tmp_path):
    box = Sandbox(tmp_path, docker_host=f"unix://{tmp_path}/nothing.sock")
    box.migrate()
    code = """
        from django.test import Client
        from projects.services import heartbeats
        heartbeats.beat("worker")
        client = Client(headers={"host": "localhost"})
        answer([client.get("/healthz").status_code, client.get("/readyz").status_code, client.get("/readyz").json()])
    """
    assert box.python(code) == [200, 503, {"ready": False}]
