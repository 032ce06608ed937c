"""The main job from outside, through the API of a whole hub: a real repository gets its container, the real Claude CLI answers in
it, and what was committed there is pushed to a real git server over HTTPS with a token."""

import json
import os
import shutil
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import docker
import httpx
import pytest

from tests.gitserver import GitServer
from tests.processes.stack import Stack

pytestmark = pytest.mark.live
TOKEN = "a-token-for-the-git-server"
ANSWER = "Hello from the model's stand-in."


class Model(BaseHTTPRequestHandler):
    """What the CLI calls in the model's place: the Messages API's stream (platform.claude.com, "Streaming Messages") with one answer."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if "count_tokens" in self.path:
            return self._send(json.dumps({"input_tokens": 1}), "application/json")
        usage = {"input_tokens": 1, "output_tokens": 1}
        message = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked["model"], "stop_sequence": None, "usage": usage}
        text = {"type": "text", "text": ANSWER}
        if not asked.get("stream"):
            return self._send(json.dumps({**message, "content": [text], "stop_reason": "end_turn"}), "application/json")
        events: list[dict[str, object]] = [
            {"type": "message_start", "message": {**message, "content": [], "stop_reason": None}},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": ANSWER}},
            {"type": "content_block_stop", "index": 0},
            {"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": usage},
            {"type": "message_stop"},
        ]
        return self._send("".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events), "text/event-stream")

    def _send(self, body: str, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_request(self, *_):
        """Silent."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """A running hub that has the real CLI: the host's own, or the one that `make test` installed."""
    cli = os.environ.get("CONTAINERHUB_CLAUDE_CLI_PATH") or shutil.which("claude")
    assert cli, "there is no Claude CLI: make test installs one"
    running = Stack(tmp_path_factory.mktemp("stack"), CONTAINERHUB_CLAUDE_CLI_PATH=cli)
    try:
        running.start()
        yield running
    finally:
        running.clean()


@pytest.fixture(scope="module")
def repository(stack):
    """A real git repository below the workspace root, of uid 1000."""
    path = stack.box.roots / "site"
    script = (
        "git init -q -b main . && git config user.name Ada && git config user.email ada@example.com"
        " && echo hello > file && git add file && git commit -qm 'From outside'"
    )
    path.mkdir()
    subprocess.run(["bash", "-c", script], cwd=path, check=True, env={**stack.box.environment, "GIT_CONFIG_GLOBAL": "/dev/null"})
    subprocess.run(["chown", "-R", "1000:1000", str(path)], check=True)
    return path


@pytest.fixture(scope="module")
def api(stack):
    key = stack.box.python("""
        from django.contrib.auth import get_user_model
        from projects.services.tokens import make_token
        answer(make_token(user=get_user_model().objects.get(username="admin"), name="test", actor=ACTOR)[1])
    """)
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.port}/api", headers={"Authorization": f"Bearer {key}"}, timeout=120) as client:
        yield client


@pytest.fixture(scope="module")
def gateway(stack, api, repository):
    """The project's container runs; the address at which it reaches the host."""
    made = api.post("/projects", json={"name": "Site", "path": str(repository)})
    assert (made.status_code, made.json()["slug"]) == (201, "site"), made.text
    ensured = api.post("/projects/site/ensure-container")
    assert (ensured.status_code, ensured.json()["status"]) == (200, "running"), ensured.text
    return docker.from_env().networks.get(f"{stack.box.prefix}-net").attrs["IPAM"]["Config"][0]["Gateway"]


def run(api, command):
    answer = api.post("/projects/site/commands", json={"command": command, "timeout": 100})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_repository_is_the_workspace(api, gateway):
    done = run(api, "git log --format=%s && git status --short && id -un")
    assert (done["exit_code"], done["stdout"]) == (0, "From outside\nclaude\n"), done


def test_the_real_claude_cli_answers(api, gateway):
    assert run(api, "claude --version")["stdout"].endswith("(Claude Code)\n")
    model = ThreadingHTTPServer((gateway, 0), Model)
    thread = threading.Thread(target=model.serve_forever, daemon=True)
    thread.start()
    try:
        variables = f"ANTHROPIC_BASE_URL=http://{gateway}:{model.server_port} ANTHROPIC_API_KEY=none"
        done = run(api, f"{variables} claude -p 'Say hello.' </dev/null")
    finally:
        model.shutdown()
        model.server_close()
        thread.join()
    assert (done["exit_code"], done["stdout"]) == (0, f"{ANSWER}\n"), done


def test_a_commit_is_pushed_over_https_with_a_token(api, gateway, repository, tmp_path):
    server = GitServer(tmp_path / "git", address=gateway, username="x-access-token", token=TOKEN)
    server.start()
    try:
        url = server.add_repository("site")
        (repository / "ca.pem").write_text(server.authority)
        commit = "echo more >> file && git commit -qam 'From inside'"
        push = f"GIT_SSL_CAINFO=/workspace/ca.pem git push -q {url} HEAD:main"
        refused = run(api, f"{commit} && {push}")
        assert refused["exit_code"] == 128, refused
        stored = api.post("/projects/site/git-credentials", json={"host": server.host, "token": TOKEN})
        assert stored.status_code in (200, 201), stored.text
        pushed = run(api, f"{push} && git rev-parse HEAD")
        assert pushed["exit_code"] == 0, pushed
        assert server.log_of("site").splitlines()[0] == f"{pushed['stdout'].strip()} Ada From inside"
    finally:
        server.stop()
