"""The admin: everything is shown to those who may see it, and every change goes through its service."""

import pytest
from django.contrib import admin
from django.test import Client

from projects import models
from projects.models import (
    ApiToken,
    BatchItem,
    CommandRun,
    Container,
    Event,
    GitCredential,
    Heartbeat,
    ImageBuild,
    Instance,
    Membership,
    Project,
)
from projects.services.instance import instance
from projects.services.record import HUB, record
from projects.services.tokens import user_of_key
from projects.states import BuildState, RunState
from tests.admin.doors import enter, messages, place, select
from tests.cast import EVERYBODY

OF_THE_PROJECT = (
    Project,
    Container,
    CommandRun,
    Event,
    GitCredential,
    models.TerminalSession,
    models.Decision,
    models.Sample,
    models.Manifest,
)
FOR_ADMINISTRATORS = (ImageBuild, Heartbeat, Instance, models.HealthMemory, models.Lease, models.Clone, models.Tally)


@pytest.fixture
def filled(staff):
    """One row of each model."""
    project = staff.project
    Container.objects.create(
        project=project, docker_id="a" * 64, name="claude-dev-web", generation=1, image="x", created_at=project.created_at
    )
    CommandRun.objects.create(
        project=project, command="true", timeout_seconds=1, actor_name="x", state=RunState.FINISHED, finished_at=project.created_at
    )
    record("test.done", project=project, actor=HUB, message="Done.")
    GitCredential.objects.create(project=project, host="github.com", token="s3cr3t-value")
    models.TerminalSession.objects.create(project=project, name="main", created_by_name="x")
    at = project.created_at
    models.Decision.objects.create(project=project, at=at, last_at=at, verdict="keep", reason="Nothing is wrong.")
    models.Sample.objects.create(project=project, at=at, docker_id="a" * 12, memory_mb=1, pids=1, network_rx_mb=0, network_tx_mb=0)
    models.Manifest.objects.create(project=project, docker_id="a" * 64, reason="too old", problem="The Engine was away.")
    models.HealthMemory.objects.create(project=project)
    models.Lease.objects.create(name="sweep")
    models.Clone.objects.create(url="https://git.example.com/a.git", actor_name="x", token="s3cr3t-value")
    models.Tally.objects.create(name="runs", key="runs")
    ImageBuild.objects.create(tag="x", actor_name="x", state=BuildState.FAILED)
    Heartbeat.objects.create(role="worker")
    instance()
    token, _ = ApiToken.unsaved(user=staff.users["owner"], name="t")
    token.save()
    return staff


def test_every_model_is_in_the_admin():
    # these stand on the page of what they belong to
    own = {getattr(models, name) for name in models.__all__} - {Membership, BatchItem, models.InvitedRole}
    assert own <= set(admin.site._registry)


@pytest.mark.parametrize("model", [*OF_THE_PROJECT, *FOR_ADMINISTRATORS, ApiToken], ids=lambda model: model.__name__)
def test_an_administrator_sees_lists_and_pages(filled, model):
    client = enter(filled, "administrator")
    assert client.get(place(model)).status_code == 200
    page = client.get(place(model, "change", model.objects.first().pk))
    assert page.status_code == 200
    assert b"s3cr3t-value" not in page.content


@pytest.mark.parametrize("model", OF_THE_PROJECT, ids=lambda model: model.__name__)
@pytest.mark.parametrize("name", ["owner", "operator", "viewer", "stranger"])
def test_staff_see_what_is_of_their_projects(filled, model, name):
    client = enter(filled, name)
    found = client.get(place(model))
    assert found.status_code == 200
    assert found.context["cl"].result_count == (0 if name == "stranger" else model.objects.count())
    page = client.get(place(model, "change", model.objects.first().pk))
    assert page.status_code == (302 if name == "stranger" else 200)


@pytest.mark.parametrize("model", FOR_ADMINISTRATORS, ids=lambda model: model.__name__)
def test_the_hubs_own_affairs_are_for_administrators(filled, model):
    assert enter(filled, "owner").get(place(model)).status_code == 403


@pytest.mark.parametrize("model", [Container, CommandRun, Event, *FOR_ADMINISTRATORS], ids=lambda model: model.__name__)
def test_what_the_hub_wrote_is_only_read(filled, model):
    client, row = enter(filled, "administrator"), model.objects.first()
    assert client.get(place(model, "add")).status_code == 403
    assert client.post(place(model, "change", row.pk), {}).status_code == 403
    assert client.post(place(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert model.objects.filter(pk=row.pk).exists()


@pytest.mark.parametrize("name", EVERYBODY)
def test_who_is_not_staff_does_not_enter(cast, name):
    client = Client() if name == "nobody" else enter(cast, name)
    answer = client.get("/admin/")
    if name == "administrator":
        assert answer.status_code == 200
        return
    assert answer.status_code == 302
    assert answer["Location"].startswith("/admin/login/")
    at_the_door = client.get(answer["Location"])
    assert at_the_door.status_code == (302 if name == "nobody" else 403)
    if name == "nobody":
        assert at_the_door["Location"].startswith("/accounts/login/")


# -- projects -------------------------------------------------------------------------------


def form(cast, **fields):
    path = cast.host.roots / "site"
    path.mkdir(exist_ok=True)
    defaults = {
        "name": "Site",
        "path": str(path),
        "cpu_limit": 2,
        "memory_limit_mb": 512,
        "pids_limit": 100,
        "environment": '{"TZ": "UTC"}',
    }
    return {**defaults, "uses_host_credentials": "on", **fields}


def members_form(**fields):
    return {
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
        "memberships-MIN_NUM_FORMS": "0",
        "memberships-MAX_NUM_FORMS": "1000",
        **fields,
    }


def test_a_project_made_in_the_admin_goes_through_the_catalog(cast):
    answer = enter(cast, "administrator").post(place(Project, "add"), form(cast))
    assert answer.status_code == 302
    project = Project.objects.get(slug="site")
    assert (project.environment, project.uses_host_credentials, project.created_by) == ({"TZ": "UTC"}, True, cast.users["administrator"])
    assert Event.objects.get(kind="project.created").actor_name == "administrator"


@pytest.mark.parametrize(
    "fields",
    [
        {"path": "/etc"},
        {"path": ""},
        {"environment": '{"API_TOKEN": "x"}'},
        {"environment": "[1]"},
        {"cpu_limit": "nan"},
        {"name": ""},
        {"image": "a b"},
        {"memory_limit_mb": "99999999999999999999"},
    ],
)
def test_what_the_catalog_refuses_is_said_in_the_form(cast, fields):
    answer = enter(cast, "administrator").post(place(Project, "add"), form(cast, **fields), follow=True)
    assert answer.status_code == 200
    assert answer.context["adminform"].errors or messages(answer)
    assert Project.objects.count() == 1


def test_settings_change_through_the_catalog_and_the_path_does_not(cast):
    body = {**form(cast, name="New name"), **members_form()}
    assert enter(cast, "administrator").post(place(Project, "change", cast.project.pk), body).status_code == 302
    project = Project.objects.get()
    assert (project.name, project.path, project.slug) == ("New name", cast.project.path, "web")
    assert "name" in Event.objects.get(kind="project.changed").details["changed"]


def test_an_owner_on_the_staff_cannot_lend_the_hosts_credentials(staff):
    body = {**form(staff), **members_form()}
    assert enter(staff, "owner").post(place(Project, "change", staff.project.pk), body).status_code == 302
    assert not Project.objects.get().uses_host_credentials


@pytest.mark.parametrize("name", ["operator", "viewer"])
def test_staff_who_own_nothing_change_nothing(staff, name):
    body = {**form(staff), **members_form()}
    assert enter(staff, name).post(place(Project, "change", staff.project.pk), body).status_code == 403
    assert enter(staff, name).post(place(Project, "add"), form(staff)).status_code == 403
    assert enter(staff, name).post(place(Project, "delete", staff.project.pk), {"post": "yes"}).status_code == 403


def test_members_are_set_through_the_catalog_and_the_last_owner_stays(cast):
    rows = list(Membership.objects.order_by("pk"))
    fields: dict[str, object] = {"memberships-TOTAL_FORMS": "3", "memberships-INITIAL_FORMS": "3"}
    for index, row in enumerate(rows):
        fields |= {
            f"memberships-{index}-id": row.pk,
            f"memberships-{index}-project": cast.project.pk,
            f"memberships-{index}-role": "viewer",
        }
    fields["memberships-2-DELETE"] = "on"
    body = {**form(cast), **members_form(), **fields}
    answer = enter(cast, "administrator").post(place(Project, "change", cast.project.pk), body, follow=True)
    assert any("last owner" in message for message in messages(answer))
    roles = set(Membership.objects.values_list("user__username", "role"))
    assert roles == {("owner", "owner"), ("operator", "viewer")}
    assert Event.objects.filter(kind="member.removed").count() == 1


def test_deleting_a_project_removes_its_container_and_keeps_its_directory(cast, engine):
    client = enter(cast, "administrator")
    select(client, "ensure", cast.project)
    assert engine.boxes
    assert client.get(place(Project, "delete", cast.project.pk)).status_code == 200
    assert client.post(place(Project, "delete", cast.project.pk), {"post": "yes"}).status_code == 302
    assert not engine.boxes
    assert not Project.objects.exists()
    assert (cast.host.roots / "web").is_dir()


def test_a_deletion_that_the_engine_refuses_is_told_and_deletes_nothing(cast, engine):
    engine.down = True
    answer = enter(cast, "administrator").post(place(Project, "delete", cast.project.pk), {"post": "yes"}, follow=True)
    assert messages(answer)
    assert Project.objects.exists()


# -- rows -----------------------------------------------------------------------------------


def test_rows_are_never_deleted_past_the_services(cast):
    enter(cast, "administrator").post(place(Project), {"action": "delete_selected", "_selected_action": [cast.project.pk], "post": "yes"})
    assert Project.objects.exists()


# -- keys -----------------------------------------------------------------------------------


def test_a_token_made_in_the_admin_is_shown_once_and_revoked_by_an_action(staff):
    client = enter(staff, "viewer")
    answer = client.post(place(ApiToken, "add"), {"name": "laptop", "expires_at_0": "", "expires_at_1": ""}, follow=True)
    key = next(message.split()[-1] for message in messages(answer) if "hub_" in message)
    assert user_of_key(key) == staff.users["viewer"]
    token = ApiToken.objects.get()
    assert key.encode() not in client.get(place(ApiToken, "change", token.pk)).content + client.get(place(ApiToken)).content
    enter(staff, "owner").post(place(ApiToken), {"action": "revoke", "_selected_action": [token.pk]})
    assert user_of_key(key) is not None
    client.post(place(ApiToken), {"action": "revoke", "_selected_action": [token.pk]})
    assert user_of_key(key) is None


def test_a_git_token_is_set_and_taken_away_by_owners(staff):
    body = {"project": staff.project.pk, "host": "GitHub.com", "username": "x-access-token", "token": "s3cr3t-value"}
    assert enter(staff, "operator").post(place(GitCredential, "add"), body).status_code == 403
    assert enter(staff, "owner").post(place(GitCredential, "add"), body).status_code == 302
    row = GitCredential.objects.get()
    assert (row.host, row.token) == ("github.com", "s3cr3t-value")
    assert enter(staff, "operator").post(place(GitCredential, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert enter(staff, "owner").post(place(GitCredential, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not GitCredential.objects.exists()
    assert set(Event.objects.values_list("kind", flat=True)) == {"git_credential.set", "git_credential.removed"}
