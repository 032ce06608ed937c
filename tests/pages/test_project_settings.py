"""A project's settings by its page: owners change them, others read why they may not, and the server refuses them too."""

import re
from typing import Any

import pytest

from projects.models import DeployKey, Event, GitCredential, Membership, Project, ProjectSecret
from projects.states import Role
from projects.use_cases import NOT_FOUND, REFUSED, SIGN_IN, allowed
from tests.cast import EVERYBODY

SETTINGS = {
    "name": "Web", "image": "", "cpu_limit": "2", "memory_limit_mb": "512", "pids_limit": "100", "environment": "TZ=UTC\r\n\r\nA=b=c",
    "refresh_mode": "suggest", "refresh_age_hours": "48", "refresh_quiet_hours": "22:00-06:00", "pinned": "on",
}  # fmt: skip
WEBHOOK: dict[str, Any] = {"name": "ops", "kind": "webhook", "target": "https://hooks.example.com/a-key", "wants": ["hold", "waiting"]}
POSTS = [
    ("settings/", SETTINGS, "settings"),
    ("settings/members/", {"username": "stranger", "role": "viewer"}, "members"),
    ("settings/members/", {"username": "viewer", "do": "remove", "confirmed": "1"}, "members"),
    ("settings/secrets/", {"name": "API_KEY", "value": "shh-it-is-one"}, "secrets"),
    ("settings/git-tokens/", {"host": "github.com", "token": "shh-it-is-one"}, "git credentials"),
    ("settings/deploy-key/", {"do": "make"}, "deploy key"),
    ("settings/notifications/", {"do": "add", **WEBHOOK}, "notification channels"),
    ("remove/", {"confirmed": "1"}, "remove project"),
]


def send(cast, who: str, place: str, follow: bool = False, /, **fields: Any) -> Any:
    client = cast.browser(who) if who != "nobody" else cast.api(who)
    client.handler.enforce_csrf_checks = False
    return client.post(f"/projects/web/{place}", fields, follow=follow)


def told(cast, who: str, place: str, /, **fields: Any) -> str:
    """The page that it leads to."""
    return str(send(cast, who, place, True, **fields).content.decode())


def read(cast, name: str = "owner") -> str:
    return " ".join(cast.browser(name).get("/projects/web/settings/").content.decode().split())


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(("place", "fields", "use_case"), POSTS)
def test_each_change_answers_each_user_as_the_table_says(cast, fake_engine, place, fields, use_case, name):
    before = Event.objects.count()
    answer = send(cast, name, place, **fields)
    wanted = {SIGN_IN: 302, REFUSED: 403, NOT_FOUND: 404}.get(allowed(use_case, name), 302)
    assert answer.status_code == wanted
    assert (Event.objects.count() > before) is (name in ("owner", "administrator"))
    if name == "nobody":
        assert answer["Location"].startswith("/accounts/login/")


def test_nothing_is_changed_by_a_get_or_without_the_token(cast):
    for place in (
        "settings/members/",
        "settings/secrets/",
        "settings/git-tokens/",
        "settings/deploy-key/",
        "settings/notifications/",
        "remove/",
    ):
        assert cast.browser("owner").get(f"/projects/web/{place}").status_code == 405
        assert cast.browser("owner").post(f"/projects/web/{place}", {"do": "make"}).status_code == 403
    assert not Event.objects.exists()


def test_settings_are_saved_and_what_needs_a_refresh_is_said(cast):
    page = told(cast, "owner", "settings/", **SETTINGS)
    assert "at its next refresh" in page
    project = Project.objects.get()
    assert (project.name, project.cpu_limit, project.memory_limit_mb, project.pids_limit) == ("Web", 2, 512, 100)
    assert project.environment == {"TZ": "UTC", "A": "b=c"}
    assert (project.refresh_mode, project.refresh_age_hours, project.refresh_quiet_hours, project.pinned) == (
        "suggest",
        48,
        "22:00-06:00",
        True,
    )
    assert "Nothing was changed." in told(cast, "owner", "settings/", **SETTINGS)
    assert "Saved.<" in told(cast, "owner", "settings/", **{**SETTINGS, "refresh_age_hours": ""}).replace("\n", "")
    assert Project.objects.get().refresh_age_hours is None


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("name", "", "required"), ("cpu_limit", "nan", "number"), ("memory_limit_mb", "1", "greater than or equal to 6"),
        ("environment", "TZ", "NAME=value"), ("environment", "API_TOKEN=x", "promises a secret"), ("image", "-x", "not a name that Docker"),
        ("refresh_quiet_hours", "25:00", "quiet hours"), ("refresh_mode", "x", "not one of the available"), ("environment", "A=\0", "Null"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_told_and_what_was_typed_is_kept(cast, field, value, sentence):
    answer = send(cast, "owner", "settings/", **{**SETTINGS, field: value})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert sentence.lower() in page.lower()
    assert 'value="48' in page
    assert not Event.objects.exists()


@pytest.mark.parametrize(("lent", "sent"), [(False, "on"), (True, "on"), (True, ""), (False, "")])
def test_only_an_administrator_lends_the_hosts_credentials(cast, lent, sent):
    Project.objects.update(uses_host_credentials=lent)
    fields = {**SETTINGS, **({"uses_host_credentials": sent} if sent else {})}
    answer = send(cast, "owner", "settings/", **fields)
    assert answer.status_code == (400 if sent and not lent else 302)
    assert Project.objects.get().uses_host_credentials is lent
    assert "Only an administrator can switch this" in read(cast)
    send(cast, "administrator", "settings/", **fields)
    assert Project.objects.get().uses_host_credentials is bool(sent)


@pytest.mark.parametrize("name", ["viewer", "operator"])
def test_who_may_not_change_them_sees_them_disabled_with_the_reason(cast, name):
    page = read(cast, name)
    assert "This needs the owner role in this project" in page
    main = page[page.index('id="settings"') : page.index("</main>")]
    controls = re.findall(r"<(?:input(?! type=\"hidden\")|select|textarea|button)[^>]*>", main)
    working = [
        control for control in controls if "disabled" not in control and 'type="hidden"' not in control and "data-copy" not in control
    ]
    assert [control for control in working if 'form="act"' not in control and "close" not in control] == []


def test_a_container_of_other_limits_is_said_to_need_a_refresh(running):
    assert "a refresh brings what is set here" not in read(running)
    Project.objects.update(memory_limit_mb=512)
    assert "The container was made with another memory limit" in read(running)


def test_members_come_go_and_change_and_the_last_owner_stays(cast):
    assert "stranger is a new member: operator" in told(cast, "owner", "settings/members/", username="stranger", role="operator")
    send(cast, "owner", "settings/members/", username="stranger", role="viewer")
    assert Membership.objects.get(user__username="stranger").role == Role.VIEWER
    page = send(cast, "owner", "settings/members/", username="stranger", do="remove").content.decode()
    assert "Take stranger out of web?" in page
    assert Membership.objects.filter(user__username="stranger").exists()
    send(cast, "owner", "settings/members/", username="stranger", do="remove", confirmed="1")
    assert not Membership.objects.filter(user__username="stranger").exists()
    for fields in ({"do": "remove", "confirmed": "1"}, {"role": "viewer"}):
        assert "is the last owner of web" in told(cast, "owner", "settings/members/", username="owner", **fields)
    assert "no active user" in told(cast, "owner", "settings/members/", username="no\0body", role="viewer")
    assert "There is no role" in told(cast, "owner", "settings/members/", username="viewer", role="king")


def test_secrets_are_set_and_removed_and_no_value_comes_back(cast):
    page = told(cast, "owner", "settings/secrets/", name="API_KEY", value="the very value")
    assert "API_KEY" in page
    assert "the very value" not in page
    assert ProjectSecret.objects.get().value == "the very value"
    asked = send(cast, "owner", "settings/secrets/", name="API_KEY", do="remove").content.decode()
    assert "What is lost" in asked
    assert "autofocus>Cancel" in asked
    send(cast, "owner", "settings/secrets/", name="API_KEY", do="remove", confirmed="1")
    assert not ProjectSecret.objects.exists()
    for fields in ({"name": "1x", "value": "v"}, {"name": "X", "value": ""}, {"name": "gone", "do": "remove", "confirmed": "1"}):
        assert 'class="error"' in told(cast, "owner", "settings/secrets/", **fields)


def test_git_tokens_are_set_and_removed_and_never_shown(cast):
    page = told(cast, "owner", "settings/git-tokens/", host="GitHub.com", token="the very token", username="")
    assert "github.com" in page
    assert "the very token" not in page
    assert GitCredential.objects.get().username == "x-access-token"
    assert "Remove the git token" in send(cast, "owner", "settings/git-tokens/", host="github.com", do="remove").content.decode()
    send(cast, "owner", "settings/git-tokens/", host="github.com", do="remove", confirmed="1")
    assert not GitCredential.objects.exists()


def test_the_deploy_key_is_made_rotated_and_removed(cast):
    page = told(cast, "owner", "settings/deploy-key/", do="make")
    first = DeployKey.objects.get()
    assert first.public_key in page
    assert first.private_key[:40] not in page
    assert first.fingerprint in send(cast, "owner", "settings/deploy-key/", do="rotate").content.decode()
    send(cast, "owner", "settings/deploy-key/", do="rotate", confirmed="1")
    assert DeployKey.objects.get().fingerprint != first.fingerprint
    send(cast, "owner", "settings/deploy-key/", do="remove", confirmed="1")
    assert not DeployKey.objects.exists()
    for wish in ("remove", "burn"):
        assert 'class="error"' in told(cast, "owner", "settings/deploy-key/", do=wish)


def test_the_project_is_removed_after_a_question_that_names_it_and_the_loss(running):
    page = send(running, "owner", "remove/").content.decode()
    assert "Remove the project web (web)?" in page
    assert "The workspace directory, to the last file." in page
    assert "autofocus>Cancel" in page
    assert Project.objects.exists()
    answer = send(running, "owner", "remove/", True, confirmed="1")
    assert "was removed; its directory" in answer.content.decode()
    assert not Project.objects.exists()
    assert running.host.roots.joinpath("web").is_dir()


def test_an_engine_that_is_away_leaves_the_project(running, fake_engine):
    fake_engine.down = True
    assert 'class="error"' in told(running, "owner", "remove/", confirmed="1")
    assert Project.objects.exists()
