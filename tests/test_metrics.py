"""/metrics: for one who has the token, in Prometheus' own format, from the database."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client.parser import text_string_to_metric_families

from projects.engine.errors import EngineUnreachable
from projects.models import Decision, Project
from projects.services import lifecycle, tallies
from projects.services.record import HUB, record
from projects.states import Health, Status, Verdict
from tests.cast import cast, fake_engine, pages
from tests.sandbox import ROOT

__all__ = ["cast", "fake_engine", "pages"]

TOKEN = "a token of the tests"


@pytest.fixture
def asked(db, settings, pages):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"metrics_token": TOKEN})

    def ask(token: str = TOKEN):
        return Client(headers={"authorization": f"Bearer {token}"}).get("/metrics")

    return ask


def samples(answer) -> dict[tuple[str, str], float]:
    """By name and labels, written as Prometheus does."""
    found = {}
    for family in text_string_to_metric_families(answer.content.decode()):
        for sample in family.samples:
            found[sample.name, ",".join(f"{name}={value}" for name, value in sorted(sample.labels.items()))] = sample.value
    return found


def test_without_a_token_in_the_settings_there_are_none(db, pages):
    assert Client(headers={"authorization": "Bearer "}).get("/metrics").status_code == 404


@pytest.mark.parametrize("token", ["", "wrong", "ä", TOKEN + "x"])
def test_another_token_is_refused(asked, token):
    answer = asked(token)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert TOKEN not in answer.content.decode()


def test_a_session_opens_nothing(asked, cast):
    assert cast.browser("administrator").get("/metrics").status_code == 401


def test_containers_are_counted_by_status_and_health(asked):
    for n, (status, health) in enumerate(
        [(Status.RUNNING, Health.HEALTHY), (Status.RUNNING, Health.HEALTHY), (Status.MISSING, Health.NONE)]
    ):
        Project.objects.create(slug=f"p{n}", name="p", path=f"/p{n}", status=status, health=health)
    found = samples(asked())
    assert found["containerhub_containers", "health=healthy,status=running"] == 2
    assert found["containerhub_containers", "health=none,status=missing"] == 1


def test_the_queue_lags_as_long_as_its_oldest_task_waits(asked):
    now = timezone.now()
    OrmQ.objects.create(key="containerhub", payload="x", lock=now - timedelta(seconds=90))
    OrmQ.objects.create(key="containerhub", payload="y", lock=now + timedelta(seconds=900))  # at work
    found = samples(asked())
    assert found["containerhub_queue_tasks", ""] == 1
    assert 90 <= found["containerhub_queue_lag_seconds", ""] < 120


def test_actions_are_timed_and_the_engines_failing_is_counted(asked, cast, fake_engine):
    fake_engine.down = True
    with pytest.raises(EngineUnreachable):
        lifecycle.stop_container(project=cast.project, actor=HUB)
    found = samples(asked())
    assert found["containerhub_action_seconds_count", "action=stop,result=EngineUnreachable"] == 1
    assert found["containerhub_engine_errors_total", "error=EngineUnreachable"] == 1


def test_what_was_measured_adds_up(asked):
    for seconds in (1.5, 2.5):
        tallies.count(tallies.SWEEP, seconds, result="ok")
    found = samples(asked())
    assert found["containerhub_sweep_seconds_count", "result=ok"] == 2
    assert found["containerhub_sweep_seconds_sum", "result=ok"] == 4


def test_the_engine_and_the_decisions(asked, cast):
    record("engine.lost", actor=HUB, message="It is gone.")
    now = timezone.now()
    Decision.objects.create(project=cast.project, at=now, last_at=now, verdict=Verdict.KEEP, reason="All is well.")
    found = samples(asked())
    assert found["containerhub_engine_up", ""] == 1
    assert found["containerhub_engine_lost_total", ""] == 1
    assert found["containerhub_decisions_total", "rule=,verdict=keep"] == 1


def test_a_thousand_projects_cost_no_more_queries(asked, django_assert_max_num_queries):
    Project.objects.bulk_create(Project(slug=f"p{n}", name="p", path=f"/p/{n}") for n in range(1000))
    with django_assert_max_num_queries(14):
        asked()


def test_the_page_about_them_names_every_one(asked):
    written = set(re.findall(r"`(containerhub_[a-z_]+)`", (ROOT / "docs" / "metrics.md").read_text()))
    families = {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in text_string_to_metric_families(asked().content.decode())
    }
    assert written == families
