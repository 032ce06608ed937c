"""Whatever is killed comes back, or leaves nothing; no container is touched."""

import shutil
import signal
import time
from datetime import UTC, datetime, timedelta

import pytest

from containerhub.processes import is_gone
from tests.processes.stack import Stack, children, kill
from tests.sandbox import ROOT
from tests.support import wait_until

pytestmark = pytest.mark.live

BACK_SECONDS = 10
NOTHING_LEFT_SECONDS = 5
WORK_GOES_ON_SECONDS = 180
IN_HAND_SECONDS = 45


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


PARTS = ("guard", "sentinel", "worker", "monitor", "pusher")


@pytest.fixture(scope="module")
def stacks(tmp_path_factory):
    """One for each part that is killed, so that their three minutes pass at once."""
    made = {part: Stack(tmp_path_factory.mktemp(part)) for part in PARTS}
    try:
        for each in made.values():
            each.start()
        yield made
    finally:
        for each in made.values():
            each.clean()


def pid_of(part: str, stack: Stack) -> int:
    """The guard is the cluster's own process; the sentinel is its child, and the others are the sentinel's."""
    guard = stack.program("worker")
    assert guard is not None
    sentinel = children(guard)[0]
    wait_until(lambda: len(children(sentinel)) >= 4, 30, reason=stack.story)
    names = ("guard", "sentinel", "another worker", "worker", "monitor", "pusher")
    return dict(zip(names, (guard, sentinel, *children(sentinel)), strict=False))[part]


def swept_since(stack: Stack, moment: datetime) -> bool:
    at = stack.latest("at", "projects_sample", "span_seconds = 0")
    return at is not None and at > moment


@pytest.mark.timeout(600)
def test_sweeps_go_on_within_three_minutes_whatever_part_of_the_worker_is_killed(stacks):
    for part, stack in stacks.items():
        wait_until(stack.is_ready, 60, reason=stack.story)
        kill(pid_of(part, stack))
    killed = datetime.now(UTC)
    # What was in hand may still be done; what counts comes after it.
    waiting = dict(stacks)
    while waiting:
        waiting = {part: stack for part, stack in waiting.items() if not swept_since(stack, killed + timedelta(seconds=IN_HAND_SECONDS))}
        seconds = (datetime.now(UTC) - killed).total_seconds()
        assert seconds < WORK_GOES_ON_SECONDS, f"{[*waiting]}: {[stack.story() for stack in waiting.values()][:1]}"
        time.sleep(1)
    for stack in stacks.values():
        beat = stack.latest("beat_at", "projects_heartbeat", "role = 'worker'")
        assert beat is not None
        assert beat > killed


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
