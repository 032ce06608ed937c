"""What happens outside of the hub is seen, recorded as such, and never undone; an Engine that is away or hangs is no reading."""

import time
from collections.abc import Iterator

import pytest

from tests.faultproxy import FaultProxy
from tests.processes.stack import Stack
from tests.support import wait_until

pytestmark = pytest.mark.live

SEEN_SECONDS = 3
AWAY_SECONDS = 60
TRUTH_SECONDS = 35


@pytest.fixture(scope="module")
def pair(tmp_path_factory) -> Iterator[dict[str, tuple[FaultProxy, Stack]]]:
    """Two hubs, each with a proxy of its own before the Engine, so that both minutes pass at once."""
    made: dict[str, tuple[FaultProxy, Stack]] = {}
    try:
        for mode in ("refuse", "hang"):
            proxy = FaultProxy(tmp_path_factory.mktemp("proxy") / "docker.sock")
            proxy.start()
            made[mode] = proxy, Stack(tmp_path_factory.mktemp("watched"), DOCKER_HOST=proxy.base_url)
            made[mode][1].start()
        yield made
    finally:
        for proxy, stack in made.values():
            proxy.set_mode("pass")
            stack.clean()
            proxy.stop()


@pytest.fixture(scope="module")
def watched(pair: dict[str, tuple[FaultProxy, Stack]]) -> Stack:
    return pair["hang"][1]


def seen(stack: Stack) -> dict[str, str]:
    found = stack.box.python("""
        project = Project.objects.get(slug="sample")
        answer({"status": project.status, "at": project.status_at.isoformat(), "wanted": project.wanted})
    """)
    assert isinstance(found, dict)
    return found


def await_status(stack: Stack, status: str, seconds: float = 30) -> None:
    wait_until(lambda: seen(stack)["status"] == status, seconds, reason=stack.story)


def events(stack: Stack, after: int = 0) -> list[tuple[str, str]]:
    """Kind and actor, in order."""
    found = stack.box.python(f"""
        from projects.models import Event
        rows = Event.objects.filter(id__gt={after}).order_by("id")
        answer([(row.kind, row.actor_name) for row in rows])
    """)
    return [(kind, actor) for kind, actor in found]


def last_event(stack: Stack) -> int:
    return int(stack.box.python("from projects.services import trail; answer(trail.last_id())"))


def seconds_until(stack: Stack, status: str) -> float:
    """By the time that the hub itself wrote: looking takes longer than what is looked for."""
    began = time.time()
    wait_until(lambda: seen(stack)["status"] == status, 30, reason=stack.story)
    at = stack.box.python('answer(Project.objects.get(slug="sample").status_at.timestamp())')
    # A later look at the same status renews its moment, so this is the most that it can have been.
    return float(at) - began


def ensure(stack: Stack) -> None:
    stack.box.python('lifecycle.ensure_container(project=Project.objects.get(slug="sample"), actor=ACTOR)')


def test_an_outside_stop_is_seen_at_once_and_not_undone(watched):
    wait_until(watched.is_ready, 30, reason=watched.story)
    ensure(watched)
    before = last_event(watched)
    (container,) = watched.box.containers()
    container.stop(timeout=1)
    assert seconds_until(watched, "exited") <= SEEN_SECONDS
    assert events(watched, before) == [("container.exited", "outside")]
    time.sleep(SEEN_SECONDS)  # nothing is to follow
    container.reload()
    assert container.status == "exited"


def test_an_outside_removal_is_seen_at_once_and_ensure_makes_another(watched):
    ensure(watched)
    (container,) = watched.box.containers()
    before = last_event(watched)
    container.remove(force=True)
    assert seconds_until(watched, "missing") <= SEEN_SECONDS
    assert {actor for _, actor in events(watched, before)} == {"outside"}
    assert events(watched, before)[-1] == ("container.missing", "outside")
    ensure(watched)
    assert seen(watched)["status"] == "running"


def test_a_restart_from_outside_is_told_as_such(watched):
    ensure(watched)
    await_status(watched, "running")
    (container,) = watched.box.containers()
    before = last_event(watched)
    container.restart(timeout=1)
    wait_until(
        lambda: {kind for kind, _ in events(watched, before)} & {"container.restarted", "container.running"}, 30, reason=watched.story
    )
    assert {actor for _, actor in events(watched, before)} == {"outside"}
    assert not {"container.missing", "container.adopted"} & {kind for kind, _ in events(watched, before)}


def test_a_process_that_was_ended_for_want_of_memory_is_told(watched):
    ensure(watched)
    await_status(watched, "running")
    (container,) = watched.box.containers()
    before = last_event(watched)
    container.update(mem_limit="64m", memswap_limit="64m")
    assert container.exec_run(["python3", "-c", "kept = b'x' * (1 << 30)"], user="claude").exit_code == 137
    wait_until(lambda: ("container.oom", "outside") in events(watched, before), 30, reason=watched.story)


@pytest.mark.timeout(300)
def test_an_engine_that_is_away_or_hangs_for_a_minute_shows_as_unknown_and_nothing_is_restarted(pair):
    stacks = [stack for _, stack in pair.values()]
    for stack in stacks:
        ensure(stack)
        await_status(stack, "running", 30)
    containers, before = [stack.sample() for stack in stacks], [last_event(stack) for stack in stacks]
    for mode, (proxy, _) in pair.items():
        proxy.set_mode(mode)
    away = time.monotonic()
    for stack in stacks:
        await_status(stack, "unknown", 30)
    since = [seen(stack)["at"] for stack in stacks]
    while time.monotonic() - away < AWAY_SECONDS:
        assert {seen(stack)["status"] for stack in stacks} == {"unknown"}
        assert [seen(stack)["at"] for stack in stacks] == since  # since when, not when it was last looked for
        time.sleep(2)
    for proxy, _ in pair.values():
        proxy.set_mode("pass")
    back = time.monotonic()
    for stack in stacks:
        await_status(stack, "running", TRUTH_SECONDS)
    assert time.monotonic() - back < TRUTH_SECONDS
    assert [stack.sample() for stack in stacks] == containers
    for stack, last in zip(stacks, before, strict=True):
        kinds = [kind for kind, _ in events(stack, last)]
        assert [kind for kind in kinds if kind.startswith("engine.")] == ["engine.lost", "engine.back"]
        assert not {"container.started", "container.restarted", "container.refreshed"} & set(kinds)
