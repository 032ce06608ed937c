"""The list of projects: what its columns say, its filters, and that it asks the same few questions for any number of rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from projects.models import CommandRun, Container, Instance, Membership, Project
from projects.services import lifecycle
from projects.services.exit_codes import exit_words
from projects.services.instance import instance
from projects.services.reconcile import reconcile
from projects.services.record import HUB, record
from projects.states import Health, Role, RunState, Status
from tests.admin.doors import LIST, enter


@pytest.fixture
def running(staff, engine):
    lifecycle.ensure_container(project=staff.project, actor=HUB)
    return staff


def listed(client, **chosen) -> str:
    page = client.get(LIST, chosen)
    assert page.status_code == 200
    return str(page.content.decode())


def names(client, **chosen) -> list[str]:
    return [row.slug for row in client.get(LIST, chosen).context["cl"].result_list]


def grow(staff, count: int) -> None:
    """Projects with everything that a row shows."""
    for number in range(Project.objects.count(), count):
        project = Project.objects.create(
            slug=f"p{number}", name=f"p{number}", path=f"/srv/p{number}", docker_id=f"{number:064x}", status=Status.RUNNING
        )
        Container.objects.create(
            project=project, docker_id=project.docker_id, name="x", generation=1, image="x", created_at=project.created_at
        )
        CommandRun.objects.create(project=project, command="x", timeout_seconds=1)
        Membership.objects.create(project=project, user=staff.users["owner"], role=Role.OWNER)
        record("test.done", actor=HUB, project=project, message="Done.")


@pytest.mark.parametrize("name", ["administrator", "owner"])
def test_five_rows_and_fifty_take_the_same_queries_and_one_question_to_the_engine(staff, engine, name):
    client, counts, calls = enter(staff, name), [], []
    for count in (5, 50):
        grow(staff, count)
        listed(client)  # whatever is asked once only
        engine.calls.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert len(names(client)) == count
        counts.append(len(queries))
        calls.append(list(engine.calls))
    assert counts[0] == counts[1]
    assert counts[0] <= 20
    assert calls == [["ping", "stats.usages"]] * 2


def test_a_row_tells_status_age_memory_busy_and_owner(running, engine):
    engine.usages[running.project.docker_id or next(iter(engine.boxes))] = {"memory_bytes": 512 << 20, "memory_limit_bytes": 2048 << 20}
    CommandRun.objects.create(project=running.project, command="make", timeout_seconds=1)
    text = listed(enter(running, "viewer"))
    assert 'class="badge running">running<' in text
    assert "512 MB of 2 GB" in text
    assert 'value="25"' in text
    assert "1 command" in text
    assert ">owner<" in text


def test_the_list_is_there_when_the_engine_is_not(running, engine):
    engine.down = True
    assert "limit " in listed(enter(running, "administrator"))
    engine.calls.clear()
    instance()
    Instance.objects.update(engine_reachable=False)
    assert "limit " in listed(enter(running, "administrator"))
    assert not engine.calls


@pytest.mark.parametrize(("oom", "words"), [(True, "Exited (137): out of memory"), (False, "Exited (137): killed")])
def test_an_end_is_told_by_its_code_and_its_reason(running, engine, oom, words):
    engine.crash("claude-dev-web", exit_code=137, oom=oom)
    reconcile(actor=HUB)
    assert words in listed(enter(running, "viewer"))
    lifecycle.start_container(project=Project.objects.get(slug="web"), actor=HUB)
    assert words not in listed(enter(running, "viewer"))


@pytest.mark.parametrize(
    ("code", "words"),
    [(0, "Exited (0): ended by itself"), (3, "Exited (3)"), (143, "Exited (143): stopped"), (150, "Exited (150): ended by signal 22")],
)
def test_what_exit_codes_mean(code, words):
    assert exit_words(code) == words


def test_filters_search_and_sorting_find_what_is_asked_for(staff, engine):
    grow(staff, 4)
    Project.objects.filter(slug="p1").update(status=Status.EXITED, health=Health.UNHEALTHY, pinned=True)
    Project.objects.filter(slug="p2").update(uses_host_credentials=True)
    CommandRun.objects.filter(project__slug="p3").update(state=RunState.FINISHED, finished_at=timezone.now() + timedelta(seconds=1))
    client = enter(staff, "administrator")
    assert names(client, status__exact="exited") == ["p1"]
    assert names(client, health__exact="unhealthy") == ["p1"]
    assert names(client, pinned__exact="1") == ["p1"]
    assert names(client, uses_host_credentials__exact="1") == ["p2"]
    assert names(client, busy="yes") == ["p1", "p2"]
    assert names(client, busy="no") == ["p3", "web"]
    assert names(client, owner=staff.users["owner"].pk) == ["p1", "p2", "p3", "web"]
    for nobody in (str(staff.users["viewer"].pk), "x", "\u00b2", "9" * 30):
        assert names(client, owner=nobody) == ["p1", "p2", "p3", "web"]
    assert names(client, q="p3") == ["p3"]
    assert len(names(client, _facets="True")) == 4
    assert names(client, o="-1")[0] == "web"
    for column in range(1, 10):
        assert len(names(client, o=str(column))) == 4


def test_a_viewer_sees_only_the_owners_of_what_he_may_see(staff, engine):
    grow(staff, 2)
    Membership.objects.create(project=Project.objects.get(slug="p1"), user=staff.users["stranger"], role=Role.OWNER)
    assert ">stranger<" not in listed(enter(staff, "viewer"))
    assert ">stranger<" in listed(enter(staff, "administrator"))
