"""The list of a project's commands."""

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import CommandRun, Project
from projects.states import RunState

LIST = "/api/projects/web/commands"


@pytest.fixture
def seven(cast):
    """Seven commands, three of which began in the same instant."""
    now = timezone.now()
    for number in range(7):
        at = now - timedelta(seconds=min(number, 4))
        CommandRun.objects.create(
            project=cast.project, command=f"echo {number}", timeout_seconds=5, actor_name="operator",
            state=RunState.FINISHED, exit_code=0, started_at=at, finished_at=at,
        )  # fmt: skip
    return cast


def test_it_is_newest_first_and_its_pages_miss_nothing(seven):
    found, cursor = [], ""
    while cursor is not None:
        page = seven.call("viewer", "GET", f"{LIST}?limit=2{cursor and '&cursor=' + cursor}").json()
        assert len(page["items"]) <= 2
        found += [run["id"] for run in page["items"]]
        cursor = page["next"]
    assert found == [str(run.id) for run in CommandRun.objects.order_by("-started_at", "-id")]
    assert len(set(found)) == 7


def test_it_is_searched_whatever_the_case(seven):
    assert [run["command"] for run in seven.call("viewer", "GET", f"{LIST}?q=ECHO%203").json()["items"]] == ["echo 3"]
    assert seven.call("viewer", "GET", f"{LIST}?q=%00nothing").json() == {"items": [], "next": None}


def test_another_projects_commands_are_not_in_it(seven):
    other = Project.objects.create(slug="other", name="other", path="/other")
    CommandRun.objects.update(project=other)
    assert seven.call("administrator", "GET", LIST).json()["items"] == []


@pytest.mark.parametrize(
    "cursor",
    ["x", "MQ", "IjEyMyI", "IjIwMjYtMDEtMDFUMDA6MDA6MDAgMTIzIg", "IjIwMjYtMDEtMDEgMDAwMDAwMDAtMDAwMC0wMDAwLTAwMDAtMDAwMDAwMDAwMDAwIg"],
)
def test_a_cursor_that_it_never_gave_is_refused(seven, cursor):
    assert seven.call("viewer", "GET", f"{LIST}?cursor={cursor}").status_code == 400
