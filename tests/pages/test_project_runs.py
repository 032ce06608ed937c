"""The commands of a project as its page lists them."""

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.models import CommandRun
from projects.states import RunState
from projects.templatetags.project import lasted, measured


@pytest.fixture
def runs(cast):
    def made(command: str, **fields: object) -> CommandRun:
        now = timezone.now()
        values = {"state": RunState.FINISHED, "exit_code": 0, "started_at": now - timedelta(seconds=200), "finished_at": now, **fields}
        return CommandRun.objects.create(project=cast.project, command=command, timeout_seconds=5, actor_name="ada", **values)

    made("make <all>")
    made("make test", exit_code=137)
    made("sleep 9", state=RunState.TIMED_OUT, exit_code=143)
    made("tail -f x", state=RunState.RUNNING, exit_code=None, finished_at=None)
    return cast


def read(cast, query: str = "", name: str = "operator") -> str:
    return " ".join(cast.browser(name).get(f"/projects/web/runs/{query}").content.decode().split())


def test_who_when_how_long_and_how_it_ended(runs):
    page = read(runs)
    assert "make &lt;all&gt;" in page
    assert "exit 137: killed" in page
    assert "timed out, exit 143" in page
    assert "3 min 20 s" in page
    assert "goes on" in page
    assert page.count("Run again") == 4


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [("?q=MAKE", "make test", "sleep 9"), ("?ending=ill", "sleep 9", "make &lt;all"), ("?ending=well", "make &lt;all", "make test"),
     ("?ending=running", "tail -f x", "sleep 9"), ("?ending=nonsense&page=99", "make test", "nothing")],
)  # fmt: skip
def test_they_are_searched_and_filtered(runs, query, shown, hidden):
    page = read(runs, query)
    assert shown in page
    assert hidden not in page


def test_a_viewer_downloads_but_is_not_offered_to_run(runs):
    page = read(runs, name="viewer")
    assert "Run again" not in page
    assert "Running needs the operator role" in page
    assert page.count("output.txt") == 4


def test_an_empty_list_teaches_the_first_step(cast):
    assert "hub exec web" in read(cast)
    assert "No command is like that" in read(cast, "?q=x")


def test_durations_and_measures_in_words():
    assert [lasted(seconds) for seconds in (None, 0.42, 12.4, 200, 7500)] == ["–", "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"]
    assert [measured(*pair) for pair in ((3.2, "percent"), (2048, "megabytes"), (1.5, "rate"), (2048, "rate"), (7.0, "count"))] == [
        "3 %", "2 GB", "1.5 kB/s", "2.0 MB/s", "7",
    ]  # fmt: skip
    assert measured(None, "rate") == measured("", "count") == "–"
