"""What a refresh takes away, and when it is done by itself: on a project's page and before it is asked for."""

import pytest

from projects.engine.base import Change
from projects.engine.errors import Refused
from projects.models import Batch, Event, Manifest, Project
from projects.states import BatchAction, ChangeKind
from tests.admin.doors import act, enter, place, select

pytestmark = pytest.mark.django_db

REFRESH = {
    "refresh_mode": "suggest",
    "refresh_age_hours": "24",
    "refresh_memory_percent": "80",
    "refresh_disk_percent": "",
    "refresh_quiet_hours": "22:00-06:00",
    "refresh_hard_limit_hours": "",
}


@pytest.fixture
def client(cast, engine):
    """An administrator's; the project's container has a package installed."""
    client = enter(cast, "administrator")
    act(client, BatchAction.ENSURE, cast.project)
    (box,) = engine.boxes.values()
    box.changes = (Change("/var/lib/dpkg/info/ripgrep.list", ChangeKind.ADDED), Change("/opt/<b>tool", ChangeKind.ADDED))
    return client


@pytest.mark.parametrize("action", [BatchAction.REFRESH, BatchAction.REMOVE_CONTAINER])
def test_the_page_that_asks_names_what_would_be_lost(client, cast, action):
    text = select(client, action, cast.project).content.decode()
    assert "1 package of apt (ripgrep)" in text
    assert "<dt>apt</dt><dd>ripgrep</dd>" in text
    assert not Manifest.objects.exists()


def test_the_page_that_asks_comes_also_when_it_cannot_be_found_out_and_says_so(client, cast, engine):
    def refuse(name, _args):
        if name == "containers.changes":
            raise Refused("The Docker Engine refused: the layer cannot be read.")

    engine.before_call = refuse
    text = select(client, BatchAction.REFRESH, cast.project).content.decode()
    assert "What would be lost could not be found out: The Docker Engine refused: the layer cannot be read." in text


def test_the_page_of_a_project_tells_what_a_refresh_loses_now_and_what_the_last_one_took(client, cast):
    page = place(Project, "change", cast.project.pk)
    assert "1 package of apt (ripgrep)" in client.get(page).content.decode()
    act(client, BatchAction.REFRESH, cast.project)
    text = client.get(page).content.decode()
    assert "Nothing was installed or written outside" in text
    assert "At the last refresh, " in text
    assert "1 package of apt (ripgrep)" in text


def test_the_page_of_a_project_opens_while_the_engine_is_away(client, cast, engine):
    engine.down = True
    text = client.get(place(Project, "change", cast.project.pk)).content.decode()
    assert "What would be lost could not be found out: The Docker Engine" in text


def fields(project, **more):
    names = ("name", "image", "cpu_limit", "memory_limit_mb", "pids_limit")
    members = {"memberships-TOTAL_FORMS": 0, "memberships-INITIAL_FORMS": 0}
    return {**{name: getattr(project, name) for name in names}, "environment": "{}", **members, **REFRESH, **more}


def test_when_it_is_refreshed_by_itself_is_set_in_the_form(client, cast):
    page = place(Project, "change", cast.project.pk)
    assert "Refreshed by itself" in client.get(page).content.decode()
    answer = client.post(page, fields(cast.project))
    assert answer.status_code == 302, answer.context["errors"]
    project = Project.objects.get(pk=cast.project.pk)
    assert (project.refresh_mode, project.refresh_age_hours, project.refresh_memory_percent) == ("suggest", 24, 80)
    assert (project.refresh_disk_percent, project.refresh_quiet_hours, project.refresh_hard_limit_hours) == (None, "22:00-06:00", None)
    assert "refresh_quiet_hours" in Event.objects.get(kind="project.changed").message
    assert client.post(page, fields(cast.project, refresh_age_hours="", refresh_quiet_hours="", refresh_mode="")).status_code == 302
    project.refresh_from_db()
    assert (project.refresh_mode, project.refresh_age_hours, project.refresh_quiet_hours) == ("", None, "")


@pytest.mark.parametrize("hours", ["22-6", "22:00", "25:00-06:00", "22:00-22:00", "22:00 06:00", "ten:pm-six"])
def test_quiet_hours_that_are_none_are_one_sentence_beside_their_field(client, cast, hours):
    answer = client.post(place(Project, "change", cast.project.pk), fields(cast.project, refresh_quiet_hours=hours))
    assert answer.status_code == 200
    (said,) = answer.context["adminform"].form.errors["refresh_quiet_hours"]
    assert said.startswith("The quiet hours must ")
    assert said.endswith("leave them empty for any time.")
    assert Project.objects.get(pk=cast.project.pk).refresh_quiet_hours == ""
    assert Batch.objects.count() == 1
