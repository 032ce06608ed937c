"""Whatever is killed comes back, or leaves nothing; no container is touched."""

import shutil
import signal
import time
from datetime import UTC, datetime

import pytest

from containerhub.processes import is_gone
from projects.services import heartbeats
from tests.processes.stack import children, kill
from tests.sandbox import ROOT
from tests.support import wait_until

pytestmark = pytest.mark.live

BACK_SECONDS = 10
NOTHING_LEFT_SECONDS = 5
WORK_GOES_ON_SECONDS = 180


def now() -> str:
    return datetime.now(UTC).isoformat()


def works_since(stack, role: str, moment: str) -> bool:
    return (stack.heartbeat(role)["beat_at"] or "") > moment


@pytest.mark.parametrize("part", ["launcher", "program"])
@pytest.mark.parametrize("role", ["web", "worker", "watcher"])
def test_a_killed_process_is_back_in_ten_seconds_and_no_container_is_touched(stack, role, part):
    wait_until(stack.is_ready, 30, reason=stack.story)
    before = stack.sample()
    old = stack.program(role)
    killed = now()
    kill(stack.launcher(role) if part == "launcher" else old)
    wait_until(lambda: stack.program(role) not in (None, old), BACK_SECONDS, reason=stack.story)
    assert is_gone(old)
    if role != "web":  # which proves itself by answering
        wait_until(lambda: works_since(stack, role, killed), BACK_SECONDS, reason=stack.story)
    wait_until(stack.is_ready, BACK_SECONDS * 3, reason=stack.story)
    assert stack.sample() == before


@pytest.mark.timeout(400)
@pytest.mark.parametrize("part", ["sentinel", "worker", "monitor", "pusher"])
def test_work_goes_on_within_three_minutes_after_a_child_of_the_worker_is_killed(stack, part):
    wait_until(stack.is_ready, 30, reason=stack.story)
    sentinel = children(stack.program("worker"))[0]
    wait_until(lambda: len(children(sentinel)) >= 4, 30, reason=stack.story)
    parts = dict(zip(("another worker", "worker", "monitor", "pusher"), children(sentinel), strict=False))
    kill(sentinel if part == "sentinel" else parts[part])
    killed = now()
    wait_until(lambda: works_since(stack, "worker", killed), WORK_GOES_ON_SECONDS, reason=stack.story)
    again = now()
    stack.box.python("from projects.services import heartbeats; heartbeats.send_canary()")
    wait_until(lambda: works_since(stack, "worker", again), heartbeats.CANARY_SECONDS * 2, reason=stack.story)


@pytest.mark.parametrize("whom", ["supervisor", "up"])
def test_a_killed_parent_leaves_nothing_and_the_next_start_is_clean_and_quick(own_stack, whom):
    own_stack.start()
    before = own_stack.sample()
    kill(own_stack.supervisor() if whom == "supervisor" else own_stack.up.pid)
    wait_until(lambda: not own_stack.living(), NOTHING_LEFT_SECONDS, reason=lambda: str(own_stack.living()))
    own_stack.up.wait(10)
    assert own_stack.start() < 15
    assert own_stack.sample() == before


def test_a_killed_make_leaves_nothing(own_stack):
    own_stack.start(shutil.which("make"), "-C", str(ROOT), "up")
    kill(own_stack.up.pid)
    wait_until(lambda: not own_stack.living(), NOTHING_LEFT_SECONDS, reason=lambda: str(own_stack.living()))
    own_stack.up.wait(10)


def test_ctrl_c_stops_all_three_in_seconds_and_the_container_runs_on(own_stack):
    own_stack.start()
    before = own_stack.sample()
    asked = time.monotonic()
    own_stack.up.send_signal(signal.SIGINT)
    assert own_stack.up.wait(15) == 0
    assert time.monotonic() - asked < 10
    assert own_stack.living() == {}
    assert own_stack.sample() == before
    assert own_stack.box.containers()[0].status == "running"
