"""The projects page: found, filtered, sorted, those that need somebody first; and in the same number of queries however many there are."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import Container, Decision, Project, Sample
from projects.services.project_search import counts, search, with_readings
from projects.states import Health, Status, Verdict, Wanted
from tests.cast import EVERYBODY


def make(slug: str, **fields) -> Project:
    return Project.objects.create(slug=slug, name=slug, path=f"/code/{slug}", **fields)


def sample(project: Project, minutes: float = 0.5, **fields) -> Sample:
    values = {"cpu_percent": 50.0, "memory_mb": 100.0, "pids": 3, "network_rx_mb": 0, "network_tx_mb": 0, "docker_id": "a" * 12}
    return Sample.objects.create(project=project, at=timezone.now() - timedelta(minutes=minutes), **(values | fields))


def slugs(**wanted) -> list[str]:
    return list(search(Project.objects.all(), **wanted).values_list("slug", flat=True))


def listed(page: str) -> list[str]:
    return re.findall(r'id="row-([a-z0-9-]+)"', page)


@pytest.fixture
def some(db):
    make("calm", status=Status.RUNNING, health=Health.HEALTHY, wanted=Wanted.RUNNING)
    make("sick", status=Status.RUNNING, health=Health.UNHEALTHY, wanted=Wanted.RUNNING)
    make("gone", status=Status.MISSING, wanted=Wanted.RUNNING)
    make("crashed", status=Status.EXITED, wanted=Wanted.RUNNING)
    make("stopped", status=Status.EXITED, wanted=Wanted.NONE)
    held = make("held", status=Status.RUNNING, wanted=Wanted.RUNNING)
    now = timezone.now()
    Decision.objects.create(project=held, at=now, last_at=now, verdict=Verdict.HOLD, reason="A refresh did not help.")


def test_those_that_need_somebody_come_first(some):
    assert slugs() == ["crashed", "gone", "held", "sick", "calm", "stopped"]


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ("attention", ["crashed", "gone", "held", "sick"]),
        ("running", ["held", "sick", "calm"]),
        ("stopped", ["crashed", "stopped"]),
        ("unknown", ["gone"]),
        ("none", []),
        ("nonsense", ["crashed", "gone", "held", "sick", "calm", "stopped"]),
    ],
)
def test_the_filter_leaves_those_of_that_status(some, status, found):
    assert slugs(status=status) == found


def test_every_word_is_looked_for_in_name_path_and_image(db):
    make("billing", image="python:3.12")
    make("billing-old")
    assert slugs(words="BILL") == ["billing", "billing-old"]
    assert slugs(words="billing python") == ["billing"]
    assert slugs(words="/code/ old") == ["billing-old"]
    assert slugs(words="a\0b") == []


def test_the_order_is_turned_and_what_is_not_known_comes_last(db):
    small, big, silent = make("small", status=Status.RUNNING), make("big", status=Status.RUNNING), make("silent")
    sample(small, memory_mb=10.0)
    sample(big, memory_mb=500.0)
    assert slugs(sort="memory") == ["small", "big", silent.slug]
    assert slugs(sort="memory", descending=True) == ["big", "small", silent.slug]


def test_the_counts_add_the_newest_reading_of_each_that_runs(db):
    one, two = make("one", status=Status.RUNNING), make("two", status=Status.EXITED)
    sample(one, minutes=2, memory_mb=1000.0)
    sample(one, minutes=1, memory_mb=200.0, cpu_percent=30.0)
    sample(two, minutes=1)
    found = counts(Project.objects.all())
    assert (found.projects, found.running, found.memory_mb, found.cpu_percent) == (2, 1, 200.0, 30.0)


def test_an_old_reading_is_none(db):
    one = make("one", status=Status.RUNNING)
    sample(one, minutes=10)
    (row,) = with_readings(search(Project.objects.all()))
    assert (row.reading, row.readings) == (None, [50.0])
    assert counts(Project.objects.all()).memory_mb is None


def test_a_pinned_one_has_no_next_refresh(db):
    made = timezone.now()
    for slug, pinned in (("free", False), ("pinned", True)):
        make(slug, status=Status.RUNNING, docker_id=slug, pinned=pinned)
        Container.objects.create(project=Project.objects.get(slug=slug), docker_id=slug, created_at=made, generation=1)
    due = {row.slug: row.due_at for row in with_readings(search(Project.objects.all()))}
    assert due == {"free": made + timedelta(hours=72), "pinned": None}


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_sees_his_own_and_may_press_what_he_may(cast, name):
    Project.objects.create(slug="other", name="other", path="/other", status=Status.RUNNING)
    if name == "nobody":
        return
    page = cast.browser(name).get("/").content.decode()
    expected = {"administrator": ["other", "web"], "stranger": []}.get(name, ["web"])
    assert sorted(listed(page)) == expected
    assert ('value="ensure web"' in page) == (name in ("administrator", "owner", "operator"))
    assert ("need the operator role" in page) == (name == "viewer")


def test_a_thousand_projects_cost_no_more_queries_than_two(cast):
    client = cast.browser("administrator")
    client.get("/")
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get("/")
    rows = [Project(slug=f"p{n}", name=f"p{n}", path=f"/p/{n}", status=Status.RUNNING, docker_id=str(n)) for n in range(1000)]
    Project.objects.bulk_create(rows)
    now = timezone.now()
    Sample.objects.bulk_create(
        Sample(
            project=row, at=now - timedelta(minutes=m), docker_id="a", cpu_percent=1, memory_mb=1, pids=1, network_rx_mb=0, network_tx_mb=0
        )
        for row in Project.objects.filter(slug__startswith="p")
        for m in range(3)
    )
    with CaptureQueriesContext(connection) as many:
        page = client.get("/")
    assert len(listed(page.content.decode())) == 50
    assert len(many) == len(few)


def test_the_first_run_names_what_is_missing(cast, fake_engine):
    Project.objects.all().delete()
    fake_engine.down = True
    page = cast.browser("administrator").get("/").content.decode()
    for words in ("A Docker Engine answers", "The image claude-dev-base:latest is there", "The Claude CLI", "The first project"):
        assert words in page
    assert 'href="/images/"' in page
    assert 'href="/projects/new/"' in page


def test_one_who_may_make_none_is_told_whom_to_ask(cast, fake_engine):
    page = cast.browser("stranger").get("/").content.decode()
    assert "Ask the owner of a project" in page
    assert 'href="/projects/new/"' not in page


def test_paging_keeps_what_was_looked_for(db, cast):
    Project.objects.bulk_create(Project(slug=f"p{n}", name=f"p{n}", path=f"/p/{n}") for n in range(60))
    page = cast.browser("administrator").get("/?q=p&sort=name").content.decode()
    assert "q=p&amp;sort=name&amp;page=2" in page
