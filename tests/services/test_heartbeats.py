"""Signs of life, and what they decide."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_q.models import OrmQ, Schedule

from projects.models import Heartbeat
from projects.services import heartbeats
from projects.services.engines import use_engine
from projects.services.readiness import missing
from projects.tasks import canary
from tests.cast import pages
from tests.engine.fake import FakeEngine

__all__ = ["pages"]
pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr("projects.services.readiness._engine_asked", None)
    fake = FakeEngine()
    use_engine(fake)
    yield fake
    use_engine(None)


def worker(*, started_seconds_ago: float, beat_seconds_ago: float | None) -> None:
    now = timezone.now()
    beat_at = None if beat_seconds_ago is None else now - timedelta(seconds=beat_seconds_ago)
    Heartbeat.objects.create(role="worker", started_at=now - timedelta(seconds=started_seconds_ago), beat_at=beat_at)


@pytest.mark.parametrize(
    ("started", "beat", "lives"),
    [(10, None, False), (10, 5, True), (10, 20, False), (1000, 170, True), (1000, 190, False)],
    ids=["none yet", "since this start", "of an earlier start", "fresh", "stale"],
)
def test_a_worker_lives_by_a_canary_since_its_start_and_not_long_ago(started, beat, lives):
    worker(started_seconds_ago=started, beat_seconds_ago=beat)
    assert heartbeats.worker_lives() is lives


@pytest.mark.parametrize(
    ("started", "beat", "silent"), [(10, None, False), (150, None, True), (500, 150, True), (500, 50, False), (50, 500, False)]
)
def test_a_worker_is_silent_when_neither_its_start_nor_a_canary_is_recent(started, beat, silent):
    worker(started_seconds_ago=started, beat_seconds_ago=beat)
    assert (heartbeats.worker_silent_since() is not None) is silent


def test_detection_leaves_time_for_a_restart_within_three_minutes():
    assert heartbeats.SILENT_SECONDS + heartbeats.CANARY_SECONDS < 150


def test_the_worker_starts_with_one_schedule_and_a_canary_however_often_it_starts():
    for _ in range(3):
        heartbeats.worker_started()
    assert list(Schedule.objects.values_list("name", "func", "minutes")) == [("containerhub-tick", "projects.tasks.tick", 1)]
    assert OrmQ.objects.count() == 3


def test_canaries_do_not_pile_up_while_the_worker_is_down():
    for _ in range(heartbeats.MOST_WAITING + 10):
        heartbeats.send_canary()
    assert OrmQ.objects.count() == heartbeats.MOST_WAITING


def test_a_canary_is_the_sign_of_life():
    heartbeats.started("worker")
    canary()
    assert heartbeats.worker_lives()


def test_ready_needs_engine_and_worker(engine):
    assert missing() == ["worker"]
    worker(started_seconds_ago=10, beat_seconds_ago=1)
    assert missing() == []


def test_a_down_or_hung_engine_is_missing(engine):
    engine.delay_seconds = 60  # the fake refuses a ping that it would not answer in time
    assert "engine" in missing()


def test_anybody_may_ask_often_without_the_engine_being_asked_as_often(engine, client, pages):
    for _ in range(20):
        client.get("/readyz")
    assert engine.calls.count("ping") < 5
