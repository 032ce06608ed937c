"""/metrics as Prometheus reads it: behind its token, from the database only, and as its page says."""

import json
import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client.parser import text_string_to_metric_families

from containerhub.processes import identity
from projects.engine.errors import EngineUnreachable, Refused
from projects.models import CommandRun, Counter, Heartbeat, OpenSockets, Project
from projects.services import heartbeats
from projects.services.lifecycle import ensure_container, stop_container
from projects.services.metrics.counters import count, count_engine_error, timed
from projects.services.metrics.sockets import forget_dead_processes, note_socket, write_sockets
from projects.services.reconcile import note_engine_lost
from projects.services.record import HUB
from projects.states import Health, RunState, Status
from tests.cast import EVERYBODY, cast, fake_engine, pages
from tests.sweep.conftest import fleet

__all__ = ["cast", "fake_engine", "fleet", "pages"]

TOKEN = "s3cr3t-of-metrics"
PAGE = (django_settings.BASE_DIR / "docs" / "metrics.md").read_text()


@pytest.fixture
def open_door(db, settings, pages):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"metrics_token": TOKEN})


def scrape(**headers: str) -> Any:
    return Client(headers={"authorization": f"Bearer {TOKEN}", **headers}).get("/metrics")


def families() -> dict[str, Any]:
    answer = scrape()
    assert answer.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(answer.content.decode())}


def values(name: str) -> dict[tuple[str, ...], float]:
    return {tuple(sample.labels.values()): sample.value for sample in families()[f"containerhub_{name}"].samples}


# -- the door -------------------------------------------------------------------------------


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", "Bearer ünïcode", TOKEN])
def test_without_the_token_it_is_401_and_says_how(open_door, header):
    answer = Client(headers={"authorization": header} if header else {}).get("/metrics")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert b"containerhub_" not in answer.content


@pytest.mark.parametrize("name", EVERYBODY)
def test_no_session_and_no_api_token_opens_it(cast, settings, name):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"metrics_token": TOKEN})
    if name != "nobody":
        assert cast.browser(name).get("/metrics").status_code == 401
    assert cast.api(name).get("/metrics").status_code == 401


@pytest.mark.parametrize("header", ["Bearer ", "Bearer x", ""])
def test_until_a_token_is_set_there_is_no_such_page(db, pages, header):
    answer = Client(headers={"authorization": header}).get("/metrics")
    assert answer.status_code == 404
    assert "WWW-Authenticate" not in answer


def test_it_is_only_read_never_kept_and_makes_no_session(open_door):
    answer = scrape()
    assert (answer["Cache-Control"], answer.cookies.output()) == ("no-store", "")
    assert answer["Content-Type"].startswith("text/plain; version=")
    assert Client(headers={"authorization": f"Bearer {TOKEN}"}).post("/metrics").status_code == 405
    open_metrics = scrape(accept="application/openmetrics-text; version=1.0.0")
    assert open_metrics["Content-Type"].startswith("application/openmetrics-text")
    assert open_metrics.content.endswith(b"# EOF\n")


# -- what it says ---------------------------------------------------------------------------


def test_the_page_names_every_metric_with_its_type_and_labels_and_no_other(fleet, open_door):
    furnish(fleet)
    declared = {}
    for family in families().values():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        declared[name] = (family.type, labels)
        assert family.samples, name
    rows = re.findall(r"^\| `(containerhub_\w+)` \| (\w+) \| ([^|]*) \|", PAGE, flags=re.MULTILINE)
    assert declared == {name: (kind, set(re.findall(r"`(\w+)`", labels))) for name, kind, labels in rows}


def test_the_alerts_and_examples_name_metrics_that_there_are():
    rows = set(re.findall(r"^\| `(containerhub_\w+)`", PAGE, flags=re.MULTILINE))
    used = set(re.findall(r"containerhub_\w+", PAGE.partition("## Alerts")[2]))
    assert len(re.findall(r"- alert:", PAGE)) == 3
    assert used <= rows


def test_it_takes_as_many_queries_for_a_hundred_projects_as_for_two(fleet, open_door, django_assert_num_queries):
    furnish(fleet)
    with django_assert_num_queries(9):
        scrape()
    Project.objects.bulk_create(Project(slug=f"p{n}", name="x", path=f"/srv/p{n}", status=Status.RUNNING) for n in range(100))
    for n in range(50):
        count("decisions", verdict=f"v{n}", rule="")
    with django_assert_num_queries(9):
        scrape()


def test_containers_sweeps_decisions_and_actions_are_counted_as_they_happen(fleet, open_door):
    assert values("sweep_duration_seconds") == {}
    web = fleet.project("web")
    stop_container(project=fleet.project("idle"), actor=HUB)
    before = timezone.now().timestamp()
    fleet.at(0)
    fleet.at(1)
    assert (
        values("containers") == {(Status.RUNNING, Health.STARTING): 1, (Status.EXITED, Health.NONE): 1}
        or sum(values("containers").values()) == 2
    )
    assert values("sweep_duration_seconds")[()] > 0
    assert values("sweep_last_timestamp_seconds")[()] >= before
    assert values("decisions") == {("keep", ""): 2}
    Project.objects.filter(pk=web.pk).update(health=Health.UNHEALTHY)
    assert sum(n for (_, health), n in values("containers").items() if health == Health.UNHEALTHY) == 1
    durations = {(s.name.rpartition("_")[2], s.labels["action"], s.labels.get("le")): s.value for s in samples("action_duration_seconds")}
    assert durations["count", "start", None] == 2
    assert durations["bucket", "start", "+Inf"] == 2
    assert durations["sum", "stop", None] > 0
    assert {s.labels["outcome"] for s in samples("action_duration_seconds")} == {"done"}


def samples(name: str) -> list[Any]:
    return list(families()[f"containerhub_{name}"].samples)


def test_durations_fall_into_buckets_that_add_up(db, open_door, monkeypatch):
    moments = iter([0.0, 0.2, 10.0, 13.0, 100.0, 1000.0])
    monkeypatch.setattr("projects.services.metrics.counters.monotonic", lambda: next(moments))
    for _ in range(3):
        with timed("refresh"):
            pass
    found = {s.labels.get("le", s.name): s.value for s in samples("action_duration_seconds")}
    assert [found[bound] for bound in ("0.5", "2.5", "5.0", "300.0", "+Inf")] == [1, 1, 2, 2, 3]
    assert found["containerhub_action_duration_seconds_sum"] == pytest.approx(903.2)


def test_what_fails_is_counted_as_failed_and_the_engines_part_by_its_kind(fleet, open_door):
    web = fleet.host.project("web")
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        ensure_container(project=web, actor=HUB)
    assert values("engine_errors")[("EngineUnreachable",)] >= 1
    assert ("start", "failed") in {(s.labels["action"], s.labels["outcome"]) for s in samples("action_duration_seconds")}


def test_engine_queue_runs_and_heartbeats_are_what_the_tables_say(cast, open_door, settings):
    now = timezone.now()
    assert values("engine_reachable") == {(): 1}
    note_engine_lost(actor=HUB, why="It does not answer.")
    assert values("engine_reachable") == {(): 0}
    OrmQ.objects.create(key="k", payload="", lock=now - timedelta(seconds=90))
    OrmQ.objects.create(key="k", payload="", lock=now + timedelta(seconds=900))  # at work
    assert values("queue_waiting_tasks") == {(): 1}
    assert 90 <= values("queue_lag_seconds")[()] < 150
    CommandRun.objects.create(project=cast.project, command="x", timeout_seconds=1)
    assert values("runs")[(RunState.RUNNING,)] == 1
    assert values("runs")[(RunState.KILLED,)] == 0
    heartbeats.beat("worker")
    Heartbeat.objects.filter(role="worker").update(beat_at=now - timedelta(seconds=500))
    assert 500 <= values("heartbeat_age_seconds")[("worker",)] < 560


def test_a_count_is_kept_or_lost_with_its_transaction_and_bears_any_word(open_door):
    count("decisions", verdict="keep", rule='a"b\\c\n')
    count("decisions", 2, rule='a"b\\c\n', verdict="keep")
    assert values("decisions") == {("keep", 'a"b\\c\n'): 3}
    assert Counter.objects.count() == 1
    assert json.loads(Counter.objects.get().labels)["verdict"] == "keep"


# -- open sockets ---------------------------------------------------------------------------


def test_sockets_of_all_living_processes_are_added_up_and_those_of_a_dead_one_forgotten(open_door):
    note_socket("live", 1)
    note_socket("live", 1)
    write_sockets("live")
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        OpenSockets.objects.create(pid=other.pid, process_start=identity(other.pid), kind="live", count=5)
        OpenSockets.objects.create(pid=other.pid, process_start="an earlier process of that number", kind="live", count=100)
        assert values("open_sockets") == {("commands",): 0, ("terminal",): 0, ("live",): 7}
        assert other.stdin is not None
        other.stdin.close()
    assert values("open_sockets")[("live",)] == 2
    forget_dead_processes()
    assert OpenSockets.objects.count() == 1
    note_socket("live", -2)
    write_sockets("live")
    assert values("open_sockets")[("live",)] == 0


def furnish(fleet: Any) -> None:
    """One of everything that is told only once it happened."""
    fleet.project("web")
    fleet.at(0)
    count_engine_error(Refused("x"))
    heartbeats.beat("worker")
