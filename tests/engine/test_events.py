"""Events of the real Engine through outages: reconnected, noticed in time, stopped at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from projects.engine.base import EngineEvent, HealthCheck
from projects.engine.connection import connect
from projects.engine.events import DockerEvents, event_of
from tests.support import wait_until


class Follower:
    """Follows on a thread until it is told to stop."""

    def __init__(self, events, labels=None) -> None:
        self.seen: list[EngineEvent] = []
        self._stop = threading.Event()
        self._events, self._labels = events, labels
        self.thread = threading.Thread(target=self._follow)
        self.thread.start()

    def _follow(self) -> None:
        for event in self._events.follow(stop=self._stop.is_set, labels=self._labels):
            self.seen.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.kind for event in self.seen]

    def wait_for(self, kind: str, count: int = 1, timeout: float = 15) -> None:
        wait_until(lambda: self.kinds.count(kind) >= count, timeout, reason=f"{count} times {kind}, seen {self.kinds}")

    def stop(self) -> float:
        """Seconds until it had stopped."""
        began = time.monotonic()
        self._stop.set()
        self.thread.join(15)
        assert not self.thread.is_alive()
        return time.monotonic() - began


@contextmanager
def following(events, labels=None) -> Iterator[Follower]:
    follower = Follower(events, labels)
    try:
        yield follower
    finally:
        follower.stop()


# -- one event ------------------------------------------------------------------------------


def test_an_event_is_read_from_what_every_version_of_the_engine_sends():
    found = {
        "Type": "container",
        "Action": "health_status: unhealthy",
        "Actor": {"ID": "a", "Attributes": {"name": "x"}},
        "timeNano": 1_700_000_000_500_000_000,
    }
    event = event_of(found)
    assert (event.kind, event.docker_id, event.attributes) == ("health_status", "a", {"name": "x", "detail": "unhealthy"})
    assert event.at == datetime.fromtimestamp(1_700_000_000.5, UTC)


def test_an_event_without_an_actor_breaks_nothing():
    assert event_of({"Action": "die"}) == EngineEvent("die")


# -- on the Engine --------------------------------------------------------------------------


@pytest.mark.live
def test_execs_make_no_noise_and_health_is_told(live):
    check = HealthCheck(("CMD", "true"), interval_seconds=0.5, timeout_seconds=5, start_period_seconds=0)
    with following(live.engine.events, live.labels) as follower:
        follower.wait_for("connected")
        docker_id = live.running(healthcheck=check)
        live.run(docker_id, "true")
        follower.wait_for("health_status")
    assert next(event.attributes["detail"] for event in follower.seen if event.kind == "health_status") == "healthy"
    assert not [kind for kind in follower.kinds if kind.startswith("exec")]
    assert [event.docker_id for event in follower.seen if event.kind == "start"] == [docker_id]
    assert all(event.at is not None for event in follower.seen if event.docker_id)


@pytest.mark.live
def test_a_stop_in_silence_is_noticed_within_a_second(live):
    follower = Follower(live.engine.events, live.labels)
    follower.wait_for("connected")
    assert follower.stop() < 1


@pytest.mark.live
def test_an_event_in_the_moment_of_the_connection_is_not_missed(live):
    docker_ids = []
    for _ in range(5):
        with following(live.engine.events, live.labels) as follower:
            follower.wait_for("connected")
            docker_ids.append(live.created())
            follower.wait_for("create")


@pytest.mark.live
@pytest.mark.parametrize("fault", ["cut", "refuse"])
def test_a_broken_stream_is_told_and_followed_again(behind, proxy, fault):
    with following(behind.engine.events, behind.labels) as follower:
        follower.wait_for("connected")
        proxy.set_mode(fault)
        follower.wait_for("disconnected")
        proxy.set_mode("pass")
        follower.wait_for("connected", 2)
        behind.created()
        follower.wait_for("create")
    assert follower.kinds[:3] == ["connected", "disconnected", "connected"]


@pytest.mark.live
def test_a_hung_engine_is_noticed_by_a_ping_of_its_own(behind, proxy):
    events = DockerEvents(behind.engine.connection, patience_seconds=1)
    with following(events, behind.labels) as follower:
        follower.wait_for("connected")
        proxy.set_mode("hang")
        follower.wait_for("disconnected", timeout=10)
        proxy.set_mode("pass")
        follower.wait_for("connected", 2)


@pytest.mark.live
def test_a_stop_while_the_engine_hangs_is_noticed_within_a_second(behind, proxy):
    follower = Follower(behind.engine.events, behind.labels)
    follower.wait_for("connected")
    proxy.set_mode("hang")
    assert follower.stop() < 1


def test_an_engine_that_is_not_there_is_waited_for_and_a_stop_ends_it(tmp_path):
    engine = connect(base_url=f"unix://{tmp_path}/none.sock")
    follower = Follower(engine.events)
    threading.Event().wait(0.7)
    assert follower.kinds == []
    assert follower.stop() < 1


@pytest.mark.live
def test_following_leaves_no_thread_behind(live):
    with following(live.engine.events, live.labels) as follower:
        follower.wait_for("connected")
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name.startswith("engine-stream")], 8)
