"""Decisions and samples as the API shows them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import Decision, Sample
from projects.services.catalog import update_project
from projects.services.errors import BadInput
from projects.services.record import HUB
from projects.services.sweep import sweep
from projects.services.usage import _local

P = "/api/projects/web"
LONG_AGO = timedelta(hours=80)


@pytest.fixture
def swept(running, fake_engine, tmp_path):
    """The cast with a container that was swept, and swept again 80 hours later while a command ran."""
    _local.clear()
    fake_engine.host = fake_engine.host.__class__(**{**vars(fake_engine.host), "root_dir": str(tmp_path)})
    running.host.configure(refresh_disk_percent=100)
    now = timezone.now()
    running.project.refresh_from_db()
    running.project.runs.create(command="make", timeout_seconds=9, actor_name="x")
    for at in (now - timedelta(minutes=30), now, now + LONG_AGO):
        sweep(now=at, task=lambda *what: None)
    return running


def get(cast, path, who="viewer"):
    answer = cast.api(who).get(path)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_the_decisions_come_newest_first_with_their_inputs(swept):
    found = get(swept, f"{P}/container/decisions")
    newest, oldest = found["items"]
    assert (newest["verdict"], newest["rule"], newest["cause"]) == ("wait", "age", "busy")
    assert newest["reason"].endswith("it waits: a command is running.")
    assert (newest["inputs"]["age_hours"], newest["inputs"]["age_limit_hours"]) == (pytest.approx(80, abs=0.1), 72)
    assert oldest["verdict"] == "keep"
    assert oldest["last_at"] > oldest["at"]
    first = get(swept, f"{P}/container/decisions?limit=1")
    assert get(swept, f"{P}/container/decisions?limit=1&cursor={first['next']}")["items"] == [oldest]


def test_the_container_says_when_it_is_next_refreshed_and_why_by_the_last_decision(swept):
    shown = get(swept, f"{P}/container")
    assert "it waits: a command is running" in shown["next_refresh_reason"]
    Decision.objects.filter(verdict="wait").delete()
    shown = get(swept, f"{P}/container")
    assert shown["next_refresh_reason"] == "Nothing is wrong; it is due when it is 72 hours old."
    assert shown["next_refresh_at"] is not None


@pytest.mark.parametrize(("name", "count", "span"), [("15m", 1, 0), ("1h", 2, 0), ("24h", 1, 300), ("14d", 1, 300)])
def test_the_samples_of_a_range_come_oldest_first(swept, name, count, span):
    found = get(swept, f"{P}/container/samples?range={name}")
    assert (len(found["items"]), found["span_seconds"], found["next"]) == (count, span, None)
    assert found["items"] == sorted(found["items"], key=lambda item: item["at"])
    assert found["items"][0]["pids"] == 2
    assert Sample.objects.count() > count


def test_an_unknown_range_is_refused_in_a_sentence(swept):
    answer = swept.api("viewer").get(f"{P}/container/samples?range=1y")
    assert answer.status_code == 422
    assert set(answer.json()) == {"detail"}


def test_the_policy_is_set_shown_and_given_back_to_the_hub(cast):
    body = {"refresh_mode": "suggest", "refresh_age_hours": 24, "refresh_quiet_hours": "22:00-06:00", "refresh_hard_limit_hours": 12}
    answer = cast.call("owner", "PATCH", P, body)
    assert answer.status_code == 200, answer.content
    assert {name: answer.json()[name] for name in body} == body
    answer = cast.call("owner", "PATCH", P, {"refresh_age_hours": None, "refresh_mode": ""})
    assert (answer.json()["refresh_age_hours"], answer.json()["refresh_mode"]) == (None, "")
    assert answer.json()["refresh_hard_limit_hours"] == 12


BAD = [
    {"refresh_mode": "sometimes"},
    {"refresh_age_hours": 0},
    {"refresh_memory_percent": 101},
    {"refresh_quiet_hours": "22-6"},
    {"refresh_quiet_hours": "22:00-22:00"},
]


@pytest.mark.parametrize("fields", [*BAD, {"refresh_age_hours": float("nan")}])
def test_a_policy_that_cannot_be_is_refused(cast, fields):
    with pytest.raises(BadInput):
        update_project(project=cast.project, actor=HUB, **fields)


@pytest.mark.parametrize("fields", BAD)
def test_the_api_refuses_it_too(cast, fields):
    assert cast.call("owner", "PATCH", P, fields).status_code in (400, 422)
