"""Actions over a selection and from a project's page: who may, what is asked first, what is told."""

import csv
import io

import pytest

from projects.models import Batch, CommandRun, Event, ImageBuild, Membership, Project
from projects.services import images
from projects.services.spreadsheet import guarded
from projects.states import BatchAction, Role
from tests.admin.doors import ASKED_FIRST, COMMAND, LIST, act, confirm, enter, messages, place, results, select

ALL = list(BatchAction)
LOOKING = (BatchAction.CHECK_HEALTH,)


def standing(engine) -> list[str]:
    return [str(box.status) for box in engine.boxes.values() if ".old" not in box.name]


def another(cast, slug="zoo") -> Project:
    return Project.objects.create(slug=slug, name=slug, path=str(cast.host.workspace(slug)))


def test_each_action_does_what_it_says_and_tells_each_project(cast, engine):
    client = enter(cast, "administrator")
    expected: tuple[tuple[BatchAction, str, list[str]], ...] = (
        (BatchAction.ENSURE, "is running.", ["running"]),
        (BatchAction.CHECK_HEALTH, "Healthy.", ["running"]),
        (BatchAction.RESTART, "was restarted and is running.", ["running"]),
        (BatchAction.REFRESH, "was made anew; the workspace was kept.", ["running"]),
        (BatchAction.STOP, "is stopped.", ["exited"]),
        (BatchAction.START, "is running.", ["running"]),
        (BatchAction.REMOVE_CONTAINER, "There is no container any more; the workspace was kept.", []),
    )
    for action, words, status in expected:
        page = act(client, action, cast.project)
        assert page.redirect_chain[-1][0] == f"/admin/projects/batch/{Batch.objects.latest('pk').pk}/"
        state, message = results()["web"]
        assert (state, message.endswith(words)) == ("done", True), message
        assert message in page.content.decode()
        assert standing(engine) == status


def test_one_that_fails_is_a_sentence_of_its_own_and_stops_no_other(cast, engine):
    other = another(cast)
    Project.objects.filter(slug="web").update(path="/nowhere")
    act(enter(cast, "administrator"), BatchAction.ENSURE, cast.project, other)
    assert results()["web"][0] == "failed"
    assert len(results()["web"][1].split()) > 5
    assert results()["zoo"][0] == "done"
    kinds = list(Event.objects.filter(kind__startswith="batch.").order_by("id").values_list("kind", "message"))
    assert kinds == [("batch.started", "Ensure was asked for 2 projects."), ("batch.finished", "Ensure is through: 1 done, 1 failed.")]


def test_a_command_runs_in_each_and_its_output_and_run_are_a_click_away(cast, engine):
    other = another(cast)
    client = enter(cast, "administrator")
    act(client, BatchAction.ENSURE, cast.project)
    asked = select(client, "run_command", cast.project, other)
    assert b"Working directory" in asked.content
    page = confirm(client, "run_command", cast.project, other, **COMMAND)
    batch = Batch.objects.latest("pk")
    assert batch.details == {"command": "echo hello", "workdir": "/workspace", "timeout_seconds": 20}
    assert results()["web"][0] == "done"
    assert results()["zoo"] == ("failed", "The project's container is not running; run ensure first.")
    run = CommandRun.objects.get(project__slug="web")
    assert batch.items.get(project_slug="web").run == run
    assert place(CommandRun, "change", run.pk) in page.content.decode()


@pytest.mark.parametrize(
    "fields", [{"command": " "}, {"timeout_seconds": "0"}, {"timeout_seconds": "901"}, {"timeout_seconds": "soon"}, {"workdir": "/proc/1"}]
)
def test_a_bad_command_is_said_and_nothing_runs(cast, engine, fields):
    page = confirm(enter(cast, "administrator"), "run_command", cast.project, **{**COMMAND, **fields})
    assert messages(page) or page.context["form"].errors
    assert not Batch.objects.exists()


# -- asking first ---------------------------------------------------------------------------


@pytest.mark.parametrize("action", ASKED_FIRST)
def test_what_loses_something_asks_first_and_names_it_all(cast, engine, action):
    client = enter(cast, "administrator")
    act(client, BatchAction.ENSURE, cast.project)
    before, batches = list(engine.calls), Batch.objects.count()
    page = select(client, action, cast.project)
    text = page.content.decode()
    assert "What is lost" in text
    assert "What is kept" in text
    assert ">web<" in text
    assert "autofocus>Cancel</a>" in text
    looked = {"ping", "containers.inspect", "containers.changes"}  # for what would be lost
    assert (set(engine.calls[len(before) :]) - looked, Batch.objects.count()) == (set(), batches)


def test_deleting_a_project_says_what_stays(cast, engine):
    text = enter(cast, "administrator").get(place(Project, "delete", cast.project.pk)).content.decode()
    assert "The workspace directory, to the last file." in text
    assert "autofocus>Cancel</a>" in text


# -- who may --------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ALL)
@pytest.mark.parametrize("name", ["administrator", "owner", "operator", "viewer", "stranger"])
def test_actions_ask_the_one_module_that_decides(staff, engine, name, action):
    act(enter(staff, "administrator"), BatchAction.ENSURE, staff.project)
    made = Batch.objects.count()
    act(enter(staff, name), action, staff.project)
    if name == "stranger":
        assert Batch.objects.count() == made
        return
    allowed = name != "viewer" or action in LOOKING
    assert results()["web"][0] == ("done" if allowed else "failed")
    assert allowed or "operator" in results()["web"][1]


@pytest.mark.parametrize("action", ALL)
def test_who_is_not_staff_reaches_no_action(cast, engine, action):
    act(enter(cast, "owner"), action, cast.project)
    enter(cast, "owner").post(f"{LIST}{cast.project.pk}/act/{action}/", {"confirmed": "yes", **COMMAND})
    assert not Batch.objects.exists()
    assert not engine.boxes


def test_without_rights_on_one_project_only_that_one_is_refused(staff, engine):
    other, unseen = another(staff), another(staff, "unseen")
    Membership.objects.create(project=other, user=staff.users["operator"], role=Role.VIEWER)
    client = enter(staff, "operator")
    asked = select(client, "stop", staff.project, other, unseen)
    assert "Will be refused: This needs the operator role" in asked.content.decode()
    assert "unseen" not in asked.content.decode()
    act(client, BatchAction.ENSURE, staff.project, other, unseen)
    told = results()
    assert set(told) == {"web", "zoo"}
    assert told["web"][0] == "done"
    assert told["zoo"] == ("failed", "This needs the operator role in this project; ask an owner of the project or an administrator.")
    assert standing(engine) == ["running"]


def test_an_action_is_never_done_by_a_get(cast, engine):
    client = enter(cast, "administrator")
    client.get(LIST, {"action": "ensure", "_selected_action": cast.project.pk})
    assert client.get(f"{LIST}act/", {"action": "ensure", "projects": cast.project.pk, "confirmed": "yes"}).status_code == 405
    for action in ALL:
        assert client.get(f"{LIST}{cast.project.pk}/act/{action}/", {"confirmed": "yes", **COMMAND}).status_code == 405
    assert client.get("/admin/projects/imagebuild/build/").status_code == 405
    assert not Batch.objects.exists()
    assert not engine.boxes


def test_a_forged_post_does_nothing(staff, engine):
    forged = staff.browser("administrator")
    assert forged.post(f"{LIST}act/", {"action": "ensure", "projects": staff.project.pk}).status_code == 403
    assert not Batch.objects.exists()


# -- from a project's page ------------------------------------------------------------------


@pytest.mark.parametrize("action", ALL)
def test_the_buttons_of_a_project_do_the_same(cast, engine, action):
    client = enter(cast, "administrator")
    act(client, BatchAction.ENSURE, cast.project)
    made = Batch.objects.count()
    url = f"{LIST}{cast.project.pk}/act/{action}/"
    assert url in client.get(place(Project, "change", cast.project.pk)).content.decode()
    first = client.post(url, follow=True)
    if action in ASKED_FIRST or action is BatchAction.RUN_COMMAND:
        assert Batch.objects.count() == made
        assert place(Project, "change", cast.project.pk) in first.content.decode()
        client.post(url, {"confirmed": "yes", **COMMAND}, follow=True)
    assert results()["web"][0] == "done"


def test_what_one_may_not_do_is_shown_with_its_reason(staff, engine):
    text = enter(staff, "viewer").get(place(Project, "change", staff.project.pk)).content.decode()
    assert text.count('<button type="submit" disabled') == len(ALL) - len(LOOKING)
    assert "This needs the operator role in this project" in text


@pytest.mark.parametrize(
    "path", ["9999/act/ensure/", "99999999999999999999999999/act/ensure/", "{pk}/act/nothing/", "{pk}/act/build_image/"]
)
def test_what_is_not_there_is_not_found(cast, engine, path):
    assert enter(cast, "administrator").post(LIST + path.format(pk=cast.project.pk)).status_code == 404


@pytest.mark.parametrize("chosen", ["", "x", "9999", "9" * 30, "9" * 5000, "\u00b2", "1;2", ",,"])
def test_a_selection_of_nothing_is_said(cast, engine, chosen):
    answer = enter(cast, "administrator").post(f"{LIST}act/", {"action": "ensure", "projects": chosen}, follow=True)
    assert messages(answer) == ["None of these projects is there any more; choose others."]
    assert not Batch.objects.exists()


def test_a_strangers_button_finds_no_project(staff, engine):
    assert enter(staff, "stranger").post(f"{LIST}{staff.project.pk}/act/ensure/").status_code == 404


# -- export and images ----------------------------------------------------------------------


def test_an_export_holds_the_selection_and_no_formula(cast, engine):
    another(cast)
    Project.objects.filter(slug="web").update(name="=1+1")
    answer = select(enter(cast, "administrator"), "export_csv", cast.project)
    assert answer.streaming
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode())))
    assert [(row["slug"], row["name"], row["owners"]) for row in rows] == [("web", "'=1+1", "owner")]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1"])
def test_a_cell_that_looks_like_a_formula_is_quoted(text):
    assert guarded(text) == f"'{text}"
    assert guarded(f"a{text}") == f"a{text}"


@pytest.mark.parametrize(("name", "built"), [("administrator", 1), ("owner", 0)])
def test_administrators_build_the_image_and_follow_it(staff, engine, monkeypatch, name, built):
    monkeypatch.setattr(images, "start_build", images.build_image)  # its thread would not see the test's transaction
    client = enter(staff, name)
    select(client, "build_image", staff.project)
    client.post("/admin/projects/imagebuild/build/", {"no_cache": "1"})
    assert ImageBuild.objects.count() == 2 * built
    if built:
        text = client.get(place(ImageBuild, "change", ImageBuild.objects.latest("pk").pk)).content.decode()
        assert "Step 2/2 : RUN true" in text
        assert "data-follow" not in text
