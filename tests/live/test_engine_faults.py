"""The Engine stopped, hung, or cut in the middle of each use case: a clear error, nothing stuck, the next call right."""

import json
import subprocess
import sys

import pytest

from tests.faultproxy import FaultProxy
from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.timeout(600)]

USE_CASES = {
    "ensure": "lifecycle.ensure_container(project=P, actor=ACTOR)",
    "refresh": "lifecycle.refresh_container(project=P, actor=ACTOR)",
    "stop": "lifecycle.stop_container(project=P, actor=ACTOR)",
    "start": "lifecycle.start_container(project=P, actor=ACTOR)",
    "restart": "lifecycle.restart_container(project=P, actor=ACTOR)",
    "remove": "lifecycle.remove_container(project=P, actor=ACTOR)",
}

WORK = """
import threading, time
from projects.engine.errors import EngineError, EngineUnreachable
from projects.services import claims
P = Project.objects.get(slug="demo")
seen = 0
step = claims.Claim.step
def counted(self, call, /, *args, **kwargs):
    '''At step number {number} the test is told, and breaks the Engine while the call is under way.'''
    global seen
    seen += 1
    if seen == {number}:
        print("AT STEP", flush=True)
        sys.stdin.readline()
    return step(self, call, *args, **kwargs)
claims.Claim.step = counted
began = time.monotonic()
try:
    {work}
    answer(["ok", "", time.monotonic() - began])
except EngineUnreachable as error:
    answer(["unreachable", str(error), time.monotonic() - began])
"""


@pytest.fixture
def broken(tmp_path):
    """A hub whose Engine stands behind a fault proxy."""
    proxy = FaultProxy(tmp_path / "engine.sock")
    proxy.start()
    box = Sandbox(tmp_path, docker_host=f"unix://{proxy.path}", CONTAINERHUB_ENGINE_TIMEOUT_SECONDS="3")
    box.migrate()
    box.add_project("demo")
    yield box, proxy
    proxy.stop()
    box.clean()


def begin(box, case: str) -> None:
    """What the use case starts from: a running container, none, or a stopped one."""
    before = {"ensure": ["remove"], "start": ["ensure", "stop"]}.get(case, ["ensure"])
    box.python("P = Project.objects.get(slug='demo')\n" + "\n".join(USE_CASES[name] for name in before))


def run_broken(box, proxy, case: str, number: int, mode: str):
    """The use case with the Engine failing from step `number` on; None when it has no such step."""
    process = subprocess.Popen(
        [sys.executable, "-c", box.script(WORK.format(number=number, work=USE_CASES[case]))],
        env=box.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line.startswith("AT STEP"):
        process.communicate(timeout=60)
        return None
    proxy.set_mode("hang" if mode == "cut" else mode)
    held = proxy.held
    assert process.stdin is not None
    process.stdin.write("go on\n")
    process.stdin.flush()
    if mode == "cut":
        wait_until(lambda: proxy.held > held, timeout=20, reason="the call was never sent")
        proxy.cut()
    out, err = process.communicate(timeout=90)
    proxy.set_mode("pass")
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.split("ANSWER ", 1)[1])


@pytest.mark.parametrize("mode", ["refuse", "hang"])
@pytest.mark.parametrize("case", list(USE_CASES))
def test_an_engine_that_fails_in_the_middle_gives_one_clear_error_and_nothing_stuck(broken, case, mode):
    box, proxy = broken
    for number in (1, 2, 4):
        begin(box, case)
        told = run_broken(box, proxy, case, number, mode)
        if told is None:
            continue
        kind, sentence, seconds = told
        assert kind == "unreachable", told
        assert "Docker Engine" in sentence
        assert sentence.endswith(".")
        assert seconds < 30
        after = "P = Project.objects.get(slug='demo')\nstuck = [P.pending_action, P.claim_token]\n"
        assert box.python(after + USE_CASES["ensure"] + "\nanswer(stuck)") == ["", ""]
        running = [container.name for container in box.containers() if container.status == "running"]
        assert running == [f"{box.prefix}-demo"]


@pytest.mark.parametrize(("case", "ends_as"), [("stop", ["exited"]), ("ensure", ["running"]), ("remove", [])])
def test_a_connection_cut_in_the_middle_of_a_call_is_told_and_mended(broken, case, ends_as):
    box, proxy = broken
    begin(box, case)
    told = run_broken(box, proxy, case, 2, "cut")
    assert told is not None
    assert told[0] == "unreachable"
    box.python("P = Project.objects.get(slug='demo')\n" + USE_CASES[case])
    assert [container.status for container in box.containers()] == ends_as
