"""The pages under /projects/<slug>/: who may see which, and that all of them read without a script."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import Container, Decision, Event, Project, Sample
from projects.states import Action, Status, Verdict, Wanted
from projects.views.live import fragments
from tests.cast import EVERYBODY
from tests.test_pages import INLINE

PLACES = ("", "logs/", "runs/", "decisions/", "events/", "settings/")
TABS = ("Overview", "Console", "Logs", "Runs", "Decisions", "Events", "Settings")


def read(cast, place: str, name: str = "viewer") -> str:
    answer = cast.browser(name).get(f"/projects/web/{place}")
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


@pytest.mark.parametrize("name", EVERYBODY)
def test_members_see_every_page_and_a_stranger_cannot_tell_it_from_none(running, name):
    client = running.browser(name) if name != "nobody" else running.api(name)
    for place in (*PLACES, "processes/", "now.json", "logs/more.json", "logs/all.log"):
        answer = client.get(f"/projects/web/{place}")
        assert answer.status_code == {"stranger": 404, "nobody": 302}.get(name, 200), place
        if name == "stranger":
            assert told(client.get(f"/projects/none/{place}")) == told(answer)


def told(answer) -> str:
    """Without the token and the address, which are the visitor's own."""
    return re.sub(r'(?:value|connect)="[^"]*"', "", answer.content.decode())


@pytest.mark.parametrize("place", PLACES)
def test_every_page_has_the_way_to_the_others_and_nothing_inline(running, place):
    answer = running.browser("owner").get(f"/projects/web/{place}")
    page = answer.content.decode()
    tabs = re.search(r'<nav class="tabs".*?</nav>', page, re.DOTALL)
    assert tabs
    assert re.findall(r">(\w+)</a>", tabs[0]) == list(TABS)
    assert tabs[0].count('aria-current="page"') == 1
    assert re.search(r'aria-current="page">' + (place.strip("/").capitalize() or "Overview"), tabs[0])
    assert not INLINE.search(answer.content)
    assert "unsafe" not in answer["Content-Security-Policy"]


def test_the_console_has_the_same_tabs(cast):
    assert 'aria-current="page">Console</a>' in read(cast, "console/")


@pytest.mark.parametrize(
    ("status", "row", "verbs"),
    [
        (Status.NONE, False, ["ensure"]),
        (Status.MISSING, True, ["ensure"]),
        (Status.RUNNING, True, ["restart", "refresh", "stop", "remove_container"]),
        (Status.EXITED, True, ["start", "refresh", "remove_container"]),
    ],
)
def test_the_buttons_fit_the_state(running, status, row, verbs):
    if not row:
        Container.objects.all().delete()
    Project.objects.update(status=status)
    assert re.findall(r'name="do" value="(\w+) web"', read(running, "", "operator")) == verbs


def test_while_an_action_is_under_way_there_is_no_other(running):
    Project.objects.update(pending_action=Action.STOP, claim_token="x", claimed_at=timezone.now())
    page = read(running, "", "operator")
    assert "stopping…" in page
    assert "Stop is under way" in page
    assert 'name="do"' not in page


def test_a_viewer_sees_no_working_button_and_reads_why(running):
    page = read(running, "")
    buttons = re.findall(r'<button form="act"[^>]*>', page)
    assert len(buttons) == 4
    assert all("disabled" in button and 'type="button"' in button for button in buttons)
    assert "This needs the operator role in this project" in page
    client = running.browser("viewer")
    client.get("/projects/web/")
    token = client.cookies["csrftoken"].value
    answer = client.post("/act/", {"do": "stop web", "next": "/projects/web/", "confirmed": "1", "csrfmiddlewaretoken": token}, follow=True)
    assert "needs the operator role" in answer.content.decode()
    assert Project.objects.get().status == Status.RUNNING


def test_how_it_ended_is_told_in_words(running):
    Project.objects.update(status=Status.EXITED, wanted=Wanted.RUNNING)
    Container.objects.update(exit_code=137, oom_killed=True)
    page = read(running, "")
    assert "Exited (137): out of memory. It is wanted running" in page
    assert "Limits" in page


def test_the_last_error_the_next_refresh_and_what_was_left_out_are_told(running):
    Project.objects.update(last_error="The image is gone; build it.", last_error_at=timezone.now(), pinned=True)
    Container.objects.update(notes=["~/.gitconfig is not there"])
    page = read(running, "")
    assert "The image is gone; build it." in page
    assert "The project is pinned: it is never refreshed by itself." in page
    assert "~/.gitconfig is not there" in page
    assert "/workspace" in page


def sample(project: Project, ago: timedelta, **values: object) -> None:
    fields = {"docker_id": "a" * 12, "memory_mb": 100.0, "cpu_percent": 10.0, "pids": 3, "network_rx_mb": 0.0, "network_tx_mb": 0.0}
    Sample.objects.create(project=project, at=timezone.now() - ago, **{**fields, **values})


def test_what_it_uses_is_a_text_table_beside_the_charts(running):
    sample(running.project, timedelta(minutes=3), cpu_percent=30.0, memory_mb=300.0)
    sample(running.project, timedelta(minutes=2), memory_mb=100.0, network_rx_mb=6.0)
    page = read(running, "?range=15m")
    assert re.search(r'data-measure="cpu">.*?data-now>10 %</td><td class="num">20 %</td><td class="num">30 %</td>', page)
    assert re.search(r'data-measure="memory">.*?data-now>100 MB</td><td class="num">200 MB</td><td class="num">300 MB</td>', page)
    assert re.search(r'data-measure="rx">.*?data-now>10[0-9]\.\d kB/s</td>', page)
    assert 'data-range="15m" aria-current="true"' in page
    assert 'data-range="15m" aria-current="true"' in read(running, "?range=nonsense")
    assert 'data-range="14d" aria-current="true"' in read(running, "?range=14d")


def test_a_gap_or_another_container_gives_no_rate(running):
    sample(running.project, timedelta(minutes=12), network_rx_mb=1.0)
    sample(running.project, timedelta(minutes=3), network_rx_mb=900.0)
    sample(running.project, timedelta(minutes=2), network_rx_mb=901.0, docker_id="b" * 12)
    assert re.search(r'data-measure="rx">.*?data-now>–</td>', read(running, ""))


def test_charts_that_cannot_be_drawn_are_said(running, monkeypatch):
    monkeypatch.setattr("projects.views.overview.assets.address", lambda name: None)
    page = read(running, "")
    assert "uPlot is not installed" in page
    assert "data-uplot" not in page


def test_what_it_uses_now_is_null_with_a_reason_where_it_does_not_run(running, fake_engine):
    assert running.browser("viewer").get("/projects/web/now.json").json()["reading"]["memory"] >= 0
    fake_engine.containers.stop("claude-dev-web")
    assert running.browser("viewer").get("/projects/web/now.json").json() == {"reading": None, "why": "It does not run"}
    fake_engine.down = True
    answer = running.browser("viewer").get("/projects/web/now.json").json()
    assert answer["reading"] is None
    assert answer["why"].endswith(".")


def test_processes_are_asked_for_only_when_wanted(running, fake_engine):
    read(running, "")
    assert "containers.processes" not in fake_engine.calls
    assert '<th scope="col">PID</th>' in read(running, "?processes=1")
    assert "containers.processes" in fake_engine.calls
    fake_engine.containers.stop("claude-dev-web")
    assert "is not running" in read(running, "?processes=1")


def test_the_page_never_waits_for_the_engine(running, fake_engine):
    fake_engine.down = True
    fake_engine.calls.clear()
    for place in ("", "runs/", "decisions/", "events/", "settings/"):
        read(running, place)
    assert fake_engine.calls == []


def test_decisions_are_read_with_their_numbers(running):
    now = timezone.now()
    Decision.objects.create(
        project=running.project, at=now, last_at=now, verdict=Verdict.REFRESH, rule="age", reason="It is <old>.",
        numbers={"age_hours": 73.2, "disk_percent": None}, started_at=now, finished_at=now, done=True, outcome="Refreshed.",
    )  # fmt: skip
    page = read(running, "decisions/")
    assert "It is &lt;old&gt;." in page
    assert "<dt>age_hours</dt><dd>73.2</dd>" in page
    assert "<dt>disk_percent</dt><dd>unknown</dd>" in page
    assert "Refreshed." in page


def test_events_are_filtered_and_paged(running):
    for number in range(60):
        Event.objects.create(kind="test.made", project_slug="web", actor_name="ada" if number % 2 else "bob", message=f"Event {number:02}.")
    Event.objects.create(kind="test.made", project_slug="other", actor_name="ada", message="Elsewhere.")
    assert "Event 59." in read(running, "events/")
    assert "Event 00." in read(running, "events/?page=2&kind=test.made")
    found = read(running, "events/?q=ada&kind=test.made")
    assert "Event 59." in found
    assert "Event 58." not in found
    assert "Elsewhere." not in found
    assert "No event is like that" in read(running, "events/?q=nothing+of+the+kind")


def test_a_predecessors_events_are_not_shown(running):
    Event.objects.create(kind="test.made", project_slug="web", actor_name="x", message="Of old.", at=timezone.now() - timedelta(days=900))
    assert "Of old." not in read(running, "events/")


@pytest.mark.parametrize("place", PLACES)
def test_the_live_parts_are_those_of_the_page(running, place):
    found = fragments(running.users["viewer"], f"/projects/web/{place}")
    page = running.browser("viewer").get(f"/projects/web/{place}").content.decode()
    assert "project-state" in found
    for element, html in found.items():
        assert f'id="{element}"' in str(html)[:300]
        assert f'id="{element}"' in page


def test_a_name_is_text_never_markup(running):
    Project.objects.update(name="<script>alert(1)</script>", last_error="<b>")
    for place in PLACES:
        assert "<script>alert" not in read(running, place)
