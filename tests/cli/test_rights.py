"""Every command that takes a user: what it gives him is exactly that right, seen through the API with a token of `hub token`."""

from pathlib import Path

import pytest
from django.test import Client
from typer.testing import CliRunner

from projects.cli.app import app
from projects.models import Event
from projects.use_cases import NOT_FOUND, REFUSED, SIGN_IN, YES, allowed
from tests.api.conftest import running
from tests.cast import cast, fake_engine, pages
from tests.cli.tree import leaves, options

__all__ = ["cast", "fake_engine", "pages", "running"]

STATUSES = {YES: 200, REFUSED: 403, NOT_FOUND: 404, SIGN_IN: 401}
# One call of each kind of right, harmless and repeatable, by its use case.
CALLS = {
    "see project": ("GET", "/api/projects/web", None),
    "list members": ("GET", "/api/projects/web/members", None),
    "ensure": ("POST", "/api/projects/web/ensure-container", None),
    "settings": ("PATCH", "/api/projects/web", {"pinned": False}),
    "lend host credentials": ("PATCH", "/api/projects/web", {"uses_host_credentials": True}),
    "discover": ("GET", "/api/discovered", None),
    "users": ("GET", "/api/users", None),
    "invitations": ("GET", "/api/invitations", None),
    "cleanup": ("POST", "/api/containers/cleanup", {"dry_run": True}),
    "own tokens": ("GET", "/api/tokens", None),
}


def hub(*words: str, stdin: str = "", status: int = 0) -> str:
    done = CliRunner().invoke(app, list(words), input=stdin, prog_name="hub")
    assert done.exit_code == status, done.output
    return done.stdout.strip()


def key_of(user: str) -> str:
    return hub("token", "create", "test", "--user", user).splitlines()[-1]


def answers(key: str) -> dict[str, int]:
    client = Client(headers={"authorization": f"Bearer {key}"})
    found = {}
    for name, (method, path, body) in CALLS.items():
        content = {"data": body, "content_type": "application/json"} if body is not None else {}
        found[name] = getattr(client, method.lower())(path, **content).status_code
    return found


def as_the_table_says(who: str) -> dict[str, int]:
    return {name: STATUSES[allowed(name, who)] for name in CALLS}


@pytest.mark.parametrize("who", ["administrator", "owner", "operator", "viewer", "stranger"])
def test_a_token_may_exactly_what_its_user_may(running, who):
    assert answers(key_of(who)) == as_the_table_says(who)


@pytest.mark.parametrize("role", ["viewer", "operator", "owner"])
def test_member_set_gives_exactly_that_role_and_rm_takes_it_away(running, role):
    key = key_of("stranger")
    hub("member", "set", "web", "stranger", role)
    assert answers(key) == as_the_table_says(role)
    hub("member", "set", "web", "stranger", "viewer")
    assert answers(key) == as_the_table_says("viewer")
    hub("member", "rm", "web", "stranger")
    assert answers(key) == as_the_table_says("stranger")


def test_the_last_owner_stays(running):
    for words in (("member", "set", "web", "owner", "viewer"), ("member", "rm", "web", "owner")):
        hub(*words, status=1)
    assert answers(key_of("owner")) == as_the_table_says("owner")


def test_user_admin_makes_an_administrator_and_takes_it_back(running):
    key = key_of("viewer")
    hub("user", "admin", "viewer", "--grant")
    assert answers(key) == as_the_table_says("administrator")
    hub("user", "admin", "viewer", "--revoke")
    assert answers(key) == as_the_table_says("viewer")
    hub("user", "admin", "administrator", "--revoke", status=1)  # the last one
    assert answers(key_of("administrator")) == as_the_table_says("administrator")


def test_user_creator_gives_the_making_of_projects_and_nothing_else(running):
    key = key_of("viewer")
    hub("user", "creator", "viewer", "--grant")
    assert answers(key) == {**as_the_table_says("viewer"), "discover": 200}
    path = running.host.workspace("fresh")
    body = {"name": "Fresh", "path": str(path)}
    client = Client(headers={"authorization": f"Bearer {key}"})
    assert client.post("/api/projects", data=body, content_type="application/json").status_code == 201
    hub("user", "creator", "viewer", "--revoke")
    assert answers(key) == as_the_table_says("viewer")


def test_user_staff_opens_the_admin_and_nothing_else(running):
    key = key_of("viewer")
    hub("user", "staff", "viewer", "--grant")
    assert answers(key) == as_the_table_says("viewer")
    assert running.browser("viewer").get("/admin/").status_code == 200
    hub("user", "staff", "viewer", "--revoke")
    assert running.browser("viewer").get("/admin/").status_code != 200


def test_user_deactivate_closes_everything_until_activate(running):
    key, page = key_of("operator"), running.browser("operator")
    assert page.get("/").status_code == 200
    hub("user", "deactivate", "operator")
    assert set(answers(key).values()) == {401}
    assert page.get("/").status_code != 200
    hub("user", "activate", "operator")
    assert answers(key) == as_the_table_says("operator")
    hub("user", "deactivate", "administrator", status=1)  # the last one


def test_user_create_makes_a_stranger_unless_told_otherwise(running):
    hub("user", "create", "ann", stdin="correct horse battery staple\n")
    assert answers(key_of("ann")) == as_the_table_says("stranger")
    assert Client().login(username="ann", password="correct horse battery staple")
    hub("user", "create", "bob", "--no-password", "--admin")
    assert answers(key_of("bob")) == as_the_table_says("administrator")
    assert not Client().login(username="bob", password="")
    hub("user", "create", "carl", "--no-password", "--creator")
    assert answers(key_of("carl")) == {**as_the_table_says("stranger"), "discover": 200}
    hub("user", "create", "dora", stdin="123\n", status=1)


def test_user_password_ends_sessions_and_the_old_password(running):
    page = running.browser("viewer")
    assert page.get("/").status_code == 200
    hub("user", "password", "viewer", stdin="correct horse battery staple\n")
    assert page.get("/").status_code != 200
    assert Client().login(username="viewer", password="correct horse battery staple")
    told = " ".join(f"{event.message} {event.details}" for event in Event.objects.all())
    assert "correct horse" not in told


def test_user_end_sessions_signs_out_and_leaves_tokens(running):
    key, page = key_of("viewer"), running.browser("viewer")
    assert hub("user", "end-sessions", "viewer") == "viewer: 1 sessions ended"
    assert page.get("/").status_code != 200
    assert answers(key) == as_the_table_says("viewer")
    assert hub("user", "remove-factor", "viewer") == "viewer: has no second factor"


def test_an_invitation_makes_the_guest_what_it_says_and_nothing_else(running):
    link = hub("user", "invite", "ann", "--role", "web=operator").splitlines()[-1]
    path = link[link.index("/accounts/") :]
    secret = "correct horse battery staple"
    guest = Client()
    assert guest.get(path).status_code == 200
    guest.post(path, {"username": "ann", "password": secret, "password_again": secret})
    assert answers(key_of("ann")) == as_the_table_says("operator")
    second = hub("user", "invite", "bob", "--admin").splitlines()[-1]
    number = hub("user", "invitations").splitlines()[1].split()[0]
    assert hub("user", "uninvite", number) == f"{number}: revoked"
    assert Client().get(second[second.index("/accounts/") :]).status_code == 410


def test_token_revoke_and_expiry_close_that_token_only(running):
    first, second = key_of("viewer"), key_of("viewer")
    newest = hub("token", "ls", "--user", "viewer", "-q").splitlines()[0]
    hub("token", "revoke", newest)
    assert set(answers(second).values()) == {401}
    assert answers(first) == as_the_table_says("viewer")
    assert newest not in hub("token", "ls", "-q").splitlines()
    assert newest in hub("token", "ls", "-q", "--all").splitlines()


def test_the_old_form_of_token_still_makes_one(running):
    for words in (("token", "laptop", "--user", "viewer"), ("token", "--user", "viewer", "laptop")):
        assert answers(hub(*words).splitlines()[-1]) == as_the_table_says("viewer")


def test_every_command_that_takes_a_user_is_tried_here():
    takes = {name for name, command in leaves().items() if any(p.metavar == "USER" for p in command.params)}
    source = Path(__file__).read_text()
    for name in takes - {"token ls"}:
        first, _, second = name.partition(" ")
        assert f'"{first}", "{second}"' in source, name
    assert "--role" in options(leaves()["user invite"])
