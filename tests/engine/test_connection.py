"""Where the Engine is, which language it speaks, and what is said when it does not answer."""

import json
import os
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer

import docker.errors
import pytest
import requests
import urllib3.exceptions

from projects.engine.base import ExecSpec
from projects.engine.connection import DEFAULT_URL, clamped, connect, resolve
from projects.engine.errors import ConnectionLost, EngineError, EngineUnreachable, NameTaken, NoSuchObject, Refused, WrongState
from projects.engine.translate import translated
from tests.engine.fake import FakeEngine, down_engine, losing_engine, slow_engine
from tests.engine.lab import Lab
from tests.support import wait_until

URL = "unix:///engine.sock"


@pytest.fixture
def no_docker_settings(monkeypatch, tmp_path):
    """Neither this user's variables nor their docker CLI's configuration."""
    for name in ("DOCKER_HOST", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH", "DOCKER_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


# -- the address ----------------------------------------------------------------------------


def test_the_default_is_dockers_own_socket(no_docker_settings):
    assert resolve() == (DEFAULT_URL, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("unix:///x.sock", "unix:///x.sock"), ("tcp://h:2375", "tcp://h:2375"), ("ssh://me@h", "ssh://me@h"), ("h:2375", "tcp://h:2375")],
)
def test_docker_host_decides(no_docker_settings, monkeypatch, given, expected):
    monkeypatch.setenv("DOCKER_HOST", given)
    monkeypatch.setenv("DOCKER_CONTEXT", "another")
    assert resolve() == (expected, None)


def test_an_explicit_address_goes_before_everything(no_docker_settings, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://other:2375")
    assert connect(base_url="unix:///mine.sock").connection.base_url == "unix:///mine.sock"


def test_tls_without_its_files_says_which_setting_is_wrong(no_docker_settings, monkeypatch):
    monkeypatch.setenv("DOCKER_HOST", "tcp://h:2376")
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(no_docker_settings / "missing"))
    with pytest.raises(EngineUnreachable, match="tcp://h:2376"):
        resolve()


def test_an_unknown_context_is_said_and_never_replaced_by_the_default(no_docker_settings, monkeypatch):
    monkeypatch.setenv("DOCKER_CONTEXT", "nowhere")
    with pytest.raises(EngineUnreachable, match="nowhere"):
        resolve()


def test_the_current_context_of_the_docker_cli_counts(no_docker_settings):
    make_context(no_docker_settings, "far", "ssh://me@far")
    (no_docker_settings / "config.json").write_text(json.dumps({"currentContext": "far"}))
    assert resolve()[0] == "ssh://me@far"


def test_docker_context_goes_before_the_current_one(no_docker_settings, monkeypatch):
    make_context(no_docker_settings, "far", "ssh://me@far")
    make_context(no_docker_settings, "near", "unix:///near.sock")
    (no_docker_settings / "config.json").write_text(json.dumps({"currentContext": "far"}))
    monkeypatch.setenv("DOCKER_CONTEXT", "near")
    assert resolve()[0] == "unix:///near.sock"


def test_a_current_context_that_is_missing_is_said(no_docker_settings):
    (no_docker_settings / "config.json").write_text(json.dumps({"currentContext": "gone"}))
    with pytest.raises(EngineUnreachable, match="docker context ls"):
        resolve()


def test_a_context_that_cannot_be_read_is_said_at_the_first_use_only(no_docker_settings):
    make_context(no_docker_settings, "torn", "unix:///x.sock")
    next((no_docker_settings / "contexts/meta").glob("*/meta.json")).write_text("{")
    (no_docker_settings / "config.json").write_text(json.dumps({"currentContext": "torn"}))
    engine = connect()
    with pytest.raises(EngineUnreachable, match="cannot be read"):
        engine.ping()


def make_context(folder, name: str, host: str) -> None:
    from hashlib import sha256

    place = folder / "contexts" / "meta" / sha256(name.encode()).hexdigest()
    place.mkdir(parents=True)
    (place / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": {"Host": host, "SkipTLSVerify": False}}})
    )


@pytest.mark.parametrize(("base_url", "local"), [("unix:///x.sock", True), ("tcp://h:1", False), ("ssh://h", False)])
def test_only_a_unix_socket_is_local(base_url, local):
    assert connect(base_url=base_url).connection.is_local is local


# -- the version ----------------------------------------------------------------------------


@pytest.mark.parametrize(("server", "spoken"), [("1.41", "1.41"), ("1.51", "1.51"), ("1.54", "1.51"), ("2.0", "1.51")])
def test_the_newest_version_that_both_speak_is_chosen(server, spoken):
    assert clamped(server) == spoken


@pytest.mark.parametrize("server", ["1.23", "0.9", "", "None", "latest"])
def test_an_engine_too_old_or_none_at_all_is_refused(server):
    with pytest.raises(Refused):
        clamped(server)


# -- errors ---------------------------------------------------------------------------------


def answer(status: int, message: str) -> docker.errors.APIError:
    response = requests.Response()
    response.status_code = status
    return docker.errors.APIError("failed", response=response, explanation=message)


@pytest.mark.parametrize(
    ("raised", "expected"),
    [
        (answer(404, "No such container: x"), NoSuchObject),
        (answer(409, 'Conflict. The container name "/x" is already in use by container "y"'), NameTaken),
        (answer(409, "Container x is not running"), WrongState),
        (answer(400, "invalid mount config: bind source path does not exist: /x"), Refused),
        (answer(403, "this proxy does not allow POST"), Refused),
        (answer(500, "OCI runtime create failed: exec: no such file or directory"), Refused),
        (answer(502, "Bad Gateway"), EngineUnreachable),
        (answer(503, "Service Unavailable"), EngineUnreachable),
        (answer(504, "Gateway Timeout"), EngineUnreachable),
        (requests.ConnectionError("refused"), EngineUnreachable),
        (requests.ReadTimeout("slow"), EngineUnreachable),
        (requests.exceptions.ChunkedEncodingError("cut"), EngineUnreachable),
        (requests.exceptions.JSONDecodeError("no json", "", 0), EngineUnreachable),
        (urllib3.exceptions.ProtocolError("cut"), EngineUnreachable),
        (ConnectionResetError("reset"), EngineUnreachable),
        (FileNotFoundError("no socket"), EngineUnreachable),
        (docker.errors.DockerException("Error while fetching server API version"), EngineUnreachable),
    ],
)
def test_every_error_becomes_one_of_ours_with_one_sentence(raised, expected):
    with pytest.raises(EngineError) as seen, translated(URL):
        raise raised
    assert type(seen.value) is expected
    assert seen.value.__cause__ is raised
    assert "\n" not in str(seen.value)
    assert str(seen.value).endswith(".")


def test_a_refusal_carries_the_engines_reason():
    with pytest.raises(Refused, match="no such file or directory"), translated(URL):
        raise answer(500, "OCI runtime create failed:\n exec: no such file or directory")


def test_what_is_no_engine_error_passes_through():
    with pytest.raises(ZeroDivisionError), translated(URL):
        raise ZeroDivisionError


def test_a_socket_that_is_not_there_says_where_and_what_to_do(tmp_path):
    engine = connect(base_url=f"unix://{tmp_path}/none.sock")
    for call in (engine.ping, engine.info, lambda: engine.containers.list(), lambda: engine.images.inspect("x")):
        with pytest.raises(EngineUnreachable, match=r"none\.sock does not answer: is it running\?"):
            call()


def test_a_listener_that_is_no_docker_engine_is_said(tmp_path):
    server = HTTPServer(("127.0.0.1", 0), Hello)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        engine = connect(base_url=f"tcp://127.0.0.1:{server.server_port}", timeout_seconds=2)
        with pytest.raises(EngineError, match="Engine"):
            engine.containers.list()
    finally:
        server.shutdown()
        server.server_close()


class Hello(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args):
        pass


# -- outages --------------------------------------------------------------------------------


@pytest.mark.live
def test_a_stopped_engine_is_told_at_once_and_the_same_object_works_when_it_is_back(behind, proxy):
    behind.running()
    proxy.set_mode("refuse")
    began = time.monotonic()
    with pytest.raises(EngineUnreachable, match="is it running"):
        behind.engine.containers.list()
    with pytest.raises(EngineUnreachable):
        behind.engine.ping()
    assert time.monotonic() - began < 1
    proxy.set_mode("pass")
    assert len(behind.engine.containers.list(labels=behind.labels)) == 1


@pytest.mark.live
def test_a_hung_engine_is_told_within_the_timeout_and_the_same_object_works_when_it_goes_on(behind, proxy):
    behind.engine.ping()
    behind.engine.containers.list()
    proxy.set_mode("hang")
    began = time.monotonic()
    with pytest.raises(EngineUnreachable, match="did not answer in time"):
        behind.engine.containers.list()
    assert time.monotonic() - began < 4
    began = time.monotonic()
    with pytest.raises(EngineUnreachable):
        behind.engine.ping(timeout_seconds=0.5)
    assert time.monotonic() - began < 1.5
    proxy.set_mode("pass")
    behind.engine.ping()
    behind.engine.containers.list()


@pytest.mark.live
def test_idle_connections_that_were_cut_are_made_anew(behind, proxy):
    docker_id = behind.running()
    for _ in range(3):
        behind.engine.containers.inspect(docker_id)
        proxy.cut()
        assert behind.engine.containers.inspect(docker_id).running


@pytest.mark.live
def test_nothing_is_sent_before_the_first_use(proxy):
    engine = connect(base_url=proxy.base_url)
    assert proxy.accepted == 0
    engine.ping()
    assert proxy.accepted == 1
    engine.close()


@pytest.mark.live
def test_an_engine_of_other_versions_than_before_is_met_anew(live):
    live.engine.connection._version = "1.99"
    with pytest.raises(EngineUnreachable, match="try again"):
        live.engine.containers.list()
    assert live.engine.info().api_version == clamped(live.engine.connection.api_version())


# -- threads and forks ----------------------------------------------------------------------


@pytest.mark.live
def test_threads_have_a_client_each_and_leave_no_descriptors_behind(live):
    docker_id = live.running()
    live.engine.ping()
    held = len(os.listdir("/proc/self/fd"))
    barrier = threading.Barrier(8)

    def work(number: int) -> int:
        barrier.wait(10)
        for _ in range(10):
            assert live.engine.containers.inspect(docker_id).running
        return id(live.engine.connection.client())

    with ThreadPoolExecutor(8) as threads:
        clients = set(threads.map(work, range(8)))
    assert len(clients) == 8
    wait_until(lambda: len(os.listdir("/proc/self/fd")) <= held + 1, reason="threads that ended hold connections")


@pytest.mark.live
def test_a_child_after_a_fork_never_shares_a_connection(live):
    docker_id = live.running()
    live.engine.containers.inspect(docker_id)
    children = []
    for _ in range(3):
        child = os.fork()
        if child == 0:
            good = all(live.engine.containers.inspect(docker_id).running for _ in range(20))
            os._exit(0 if good else 1)
        children.append(child)
    for _ in range(20):
        assert live.engine.containers.inspect(docker_id).running
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0, 0]


# -- the fake's characters ------------------------------------------------------------------


def test_a_down_fake_is_unreachable_until_it_is_not():
    engine = down_engine()
    for call in (engine.ping, engine.info, engine.containers.list, lambda: engine.stats.usage("x"), lambda: engine.execs.kill("x", "y")):
        with pytest.raises(EngineUnreachable):
            call()
    engine.down = False
    assert engine.containers.list() == []


def test_a_slow_fake_takes_its_time():
    engine = slow_engine(0.2)
    began = time.monotonic()
    engine.containers.list()
    assert time.monotonic() - began >= 0.2
    with pytest.raises(EngineUnreachable):
        engine.ping(timeout_seconds=0.1)


async def test_a_losing_fake_breaks_its_streams_and_never_calls_that_success():
    lab = Lab(losing_engine())
    outcome, _, _ = lab.run(lab.running(), "echo", "hello")
    assert outcome.connection_lost
    assert outcome.exit_code is None
    async with lab.engine.execs.open(lab.running(), ExecSpec(("cat",), stdin=True)) as stream:
        assert await stream.read() is None
        with pytest.raises(ConnectionLost):
            await stream.wait()


def test_the_hooks_of_the_fake_stand_before_and_after_a_change():
    engine, seen = FakeEngine(), []
    engine.before_call = lambda name, args: seen.append(("before", name, dict(args)))
    engine.after_call = lambda name, args: seen.append(("after", name, dict(args)))
    engine.containers.stop("x")
    assert [entry[:2] for entry in seen] == [("before", "containers.stop"), ("after", "containers.stop")]
    assert seen[0][2]["ref"] == "x"


def test_a_hung_socket_that_never_accepts_is_told_within_the_timeout(tmp_path):
    path = tmp_path / "full.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(0)
        engine = connect(base_url=f"unix://{path}", timeout_seconds=1)
        began = time.monotonic()
        with pytest.raises(EngineUnreachable):
            engine.containers.list()
        assert time.monotonic() - began < 4
