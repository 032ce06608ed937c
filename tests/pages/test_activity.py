"""Activity: what each of the cast finds of the trail, by which search, in pages and as a file."""

import csv
import io
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone

from projects.models import Event, Project
from projects.services.batches import start_batch
from projects.services.record import HUB, Actor, record
from projects.states import BatchAction
from tests.cast import EVERYBODY

SIGNED_IN = [name for name in EVERYBODY if name != "nobody"]


@pytest.fixture
def trail(cast):
    other = Project.objects.create(slug="other", name="other", path="/other")
    record("container.started", project=cast.project, actor=Actor(name="ann"), message="The web began to run.", docker_id="abc")
    record("container.stopped", project=other, actor=HUB, message="The other was stopped.")
    record("image.built", actor=HUB, message="=The image was built.")
    return cast


def page(cast, name: str, query: str = "") -> str:
    return str(cast.browser(name).get(f"/activity/{query}").content.decode())


@pytest.mark.parametrize("name", SIGNED_IN)
def test_each_finds_what_happened_in_the_projects_that_he_may_see(trail, name):
    found = page(trail, name)
    assert ("The web began to run." in found) is (name != "stranger")
    assert ("The other was stopped." in found) is (name == "administrator")
    assert ("Nothing happened yet" in found) is (name == "stranger")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?project=web", ["The web began"]),
        ("?actor=HUB", ["The other was", "The image was"]),
        ("?kind=container", ["The web began", "The other was"]),
        ("?kind=image.built", ["The image was"]),
        ("?words=stopped+other", ["The other was"]),
        ("?since=2999-01-01", []),
        ("?until=2001-01-01", []),
        (f"?since={timezone.now():%Y}-01-01", ["The web began", "The other was", "The image was"]),
        ("?words=%00", ["The web began", "The other was", "The image was"]),
        ("?since=tomorrow", ["The web began", "The other was", "The image was"]),
        ("?since=0001-01-01&until=9999-12-31", ["The web began", "The other was", "The image was"]),
        ("?before=99999999999999999999999&after=x", ["The web began", "The other was", "The image was"]),
    ],
)
def test_a_search_stands_in_the_address(trail, query, found):
    text = page(trail, "administrator", query)
    for sentence in ("The web began", "The other was", "The image was"):
        assert (sentence in text) is (sentence in found), sentence


def test_what_is_wrong_in_a_search_is_said(trail):
    assert "Since: Enter a valid date. It was left out of the search." in page(trail, "administrator", "?since=tomorrow")


def test_pages_lead_to_older_ones_and_back(trail):
    Event.objects.bulk_create(Event(kind="x.y", actor_name="ann", message=f"Number {number}.") for number in range(120))
    browser = trail.browser("administrator")

    def numbers(query: str):
        rows = browser.get(f"/activity/{query}").context["page"]
        return [int(event.message.split()[1].rstrip(".")) for event in rows.events if event.kind == "x.y"], rows

    first, rows = numbers("?kind=x.y")
    assert (first[0], first[-1], rows.newer) == (119, 70, None)
    second, rows = numbers(f"?kind=x.y&before={rows.older}")
    assert (second[0], second[-1]) == (69, 20)
    third, last = numbers(f"?kind=x.y&before={rows.older}")
    assert (third[0], third[-1], last.older) == (19, 0, None)
    back, _ = numbers(f"?kind=x.y&after={last.newer}")
    assert back == second


@pytest.mark.django_db(transaction=True)
def test_the_file_holds_what_the_search_finds_and_no_formula(trail):
    client = AsyncClient()
    client.force_login(trail.users["administrator"], backend="django.contrib.auth.backends.ModelBackend")

    async def download(query: str):
        answer: Any = await client.get(f"/activity/events.csv{query}")
        assert answer["Content-Disposition"].startswith('attachment; filename="activity-')
        return b"".join([part async for part in answer.streaming_content]).decode()

    rows = list(csv.reader(io.StringIO(async_to_sync(download)(""))))
    assert rows[0] == ["id", "at", "kind", "project", "actor", "message", "details"]
    assert [row[2] for row in rows[1:]] == ["image.built", "container.stopped", "container.started"]
    assert rows[1][5] == "'=The image was built."
    assert rows[3][6] == '{"docker_id": "abc"}'
    assert len(list(csv.reader(io.StringIO(async_to_sync(download)("?project=web"))))) == 2


def test_actions_over_projects_are_listed_for_whom_they_are(cast):
    batch = start_batch(projects=[cast.project], action=BatchAction.STOP, actor=Actor.of(cast.users["operator"]))
    for name in SIGNED_IN:
        text = cast.browser(name).get("/activity/batches/").content.decode()
        assert (f"/activity/batches/{batch.pk}/" in text) is (name in ("operator", "administrator"))
    assert f"/activity/batches/{batch.pk}/" in page(cast, "administrator")


def test_the_number_of_questions_to_the_database_does_not_grow_with_the_trail(cast, django_assert_max_num_queries):
    Event.objects.bulk_create(Event(kind="x.y", project_slug="web", actor_name="ann", message="Many.") for _ in range(60))
    browser = cast.browser("owner")
    browser.get("/activity/")
    with django_assert_max_num_queries(12):
        browser.get("/activity/")
