"""Every call, tried by everyone: one table, and a check that no call is missing from it."""

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import Client

from projects.api import api
from projects.models import ApiToken, Channel, CommandRun, ImageBuild
from projects.services.errors import Busy
from projects.states import BuildState, ChannelKind, RunState
from projects.use_cases import NOT_FOUND, REFUSED, SIGN_IN, USE_CASES, YES, Standing, access_table, allowed, may_use
from tests.cast import EVERYBODY


@dataclass(frozen=True)
class Call:
    """`use_case` is one of projects.use_cases, which says who may. `status` is the answer to those who may."""

    method: str
    path: str
    use_case: str
    status: int = 200
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


P = "/projects/{slug}"
HOOK = {"name": "ops", "kind": "webhook", "target": "https://hooks.example.com/x"}
CALLS = [
    Call("GET", "/projects", "list projects"),
    Call("POST", "/projects", "make project", 201, {"name": "New one", "path": "{free}"}),
    Call("GET", "/discovered", "discover"),
    Call("GET", P, "see project"),
    Call("PATCH", P, "settings", 200, {"pinned": True}),
    Call("DELETE", P, "remove project", 204),
    Call("POST", f"{P}/ensure-container", "ensure"),
    Call("GET", f"{P}/container", "see container"),
    Call("DELETE", f"{P}/container", "remove container"),
    Call("GET", f"{P}/container/stats", "stats"),
    Call("GET", f"{P}/container/health", "health"),
    Call("GET", f"{P}/container/logs", "logs"),
    Call("GET", f"{P}/container/processes", "see container"),
    Call("GET", f"{P}/container/decisions", "see container"),
    Call("GET", f"{P}/container/samples?range=24h", "see container"),
    Call("GET", f"{P}/container/manifest", "see what a refresh takes away"),
    Call("GET", f"{P}/container/manifests", "see what a refresh takes away"),
    Call("POST", f"{P}/container/refresh", "refresh"),
    Call("POST", f"{P}/container/start", "start"),
    Call("POST", f"{P}/container/stop", "stop"),
    Call("POST", f"{P}/container/restart", "restart"),
    Call("GET", f"{P}/commands", "see command and output"),
    Call("POST", f"{P}/commands", "run command", 200, {"command": "true"}),
    Call("GET", "/commands/{run_id}", "see command and output"),
    Call("GET", "/commands/{run_id}/output", "see command and output"),
    Call("DELETE", "/commands/{run_id}", "kill command"),
    Call("GET", f"{P}/members", "list members"),
    Call("POST", f"{P}/members", "members", 200, {"username": "viewer", "role": "operator"}),
    Call("DELETE", f"{P}/members/{{username}}", "members", 204),
    Call("DELETE", f"{P}/members?username=viewer", "members", 204),
    Call("GET", f"{P}/git-credentials", "list git credentials"),
    Call("POST", f"{P}/git-credentials", "git credentials", 201, {"host": "github.com", "token": "abc"}),
    Call("DELETE", f"{P}/git-credentials/{{host}}", "git credentials", 404),  # there is none
    Call("DELETE", f"{P}/git-credentials?host=github.com", "git credentials", 404),
    Call("GET", f"{P}/deploy-key", "see public deploy key", 404),  # there is none
    Call("POST", f"{P}/deploy-key", "deploy key", 201),
    Call("DELETE", f"{P}/deploy-key", "deploy key", 404),
    Call("GET", f"{P}/secrets", "list names of secrets"),
    Call("POST", f"{P}/secrets", "secrets", 201, {"name": "API_KEY", "value": "abcdef"}),
    Call("DELETE", f"{P}/secrets/{{name}}", "secrets", 404),
    Call("DELETE", f"{P}/secrets?name=API_KEY", "secrets", 404),
    Call("GET", f"{P}/terminals", "list terminals"),
    Call("POST", f"{P}/terminals", "terminal", 201, {"name": "main"}),
    Call("PATCH", f"{P}/terminals/{{name}}", "terminal", 404, {"name": "other"}),  # there is none
    Call("GET", f"{P}/terminals/{{name}}/history", "read terminal history", 404),
    Call("DELETE", f"{P}/terminals/{{name}}", "terminal", 404),
    Call("DELETE", f"{P}/terminals?name=main", "terminal", 404),
    Call("GET", f"{P}/events", "events of a project"),
    Call("GET", "/events", "list events"),
    Call("GET", "/images", "list images"),
    Call("POST", "/images/build", "build image", 409),  # one is under way
    Call("GET", "/images/builds/{build_id}", "see builds"),
    Call("POST", "/images/builds/{build_id}/cancel", "build image", 202),
    Call("POST", "/clones", "clone project", 202, {"url": "https://git.example.com/team/site.git"}),
    Call("GET", "/clones/{clone_id}", "own clones", 404),  # there is none
    Call("POST", "/clones/{clone_id}/cancel", "own clones", 404),
    Call("GET", "/containers/count", "count containers"),
    Call("POST", "/containers/cleanup", "cleanup"),
    Call("GET", "/tokens", "own tokens"),
    Call("POST", "/tokens", "own tokens", 201, {"name": "x"}),
    Call("DELETE", "/tokens/{token_id}", "own tokens", 404),  # somebody else's
    Call("DELETE", "/tokens?id={token_id}", "own tokens", 404),
    Call("GET", "/me", "who am I"),
    Call("GET", "/users", "users"),
    Call("POST", "/users", "users", 201, {"username": "ada"}),
    Call("PATCH", "/users/{username}", "users", 200, {"may_create_projects": True}),
    Call("DELETE", "/users/{username}/second-factor", "users", 204),
    Call("DELETE", "/users/{username}/sessions", "users", 204),
    Call("GET", "/invitations", "invitations"),
    Call("POST", "/invitations", "invitations", 201, {"roles": [{"project": "web", "role": "viewer"}]}),
    Call("DELETE", "/invitations/{invitation_id}", "invitations", 404),  # there is none
    Call("GET", "/notifications/channels", "list notification channels"),
    Call("POST", "/notifications/channels", "notification channels", 201, {**HOOK, "project": "web"}),
    Call("POST", "/notifications/channels", "notification channels of the hub", 201, HOOK),
    Call("DELETE", "/notifications/channels/{channel_id}", "notification channels", 204),
    Call("DELETE", "/notifications/channels?id={channel_id}", "notification channels", 204),
    Call("POST", "/notifications/channels/{channel_id}/test", "notification channels"),
    Call("GET", "/notifications/deliveries", "list notification channels"),
    Call("GET", "/notifications/deliveries?channel={channel_id}", "notification channels"),
]
STATUSES = {SIGN_IN: 401, REFUSED: 403, NOT_FOUND: 404}


def expected(call: Call, name: str) -> int:
    return STATUSES.get(allowed(call.use_case, name), call.status)


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("call", CALLS, ids=str)
def test_each_call_answers_each_user_as_the_table_says(running, monkeypatch, call, name):
    run = CommandRun.objects.create(
        project=running.project,
        command="true",
        timeout_seconds=1,
        actor_name="x",
        state=RunState.FINISHED,
        finished_at=running.project.created_at,
        exit_code=0,
    )
    token, _ = ApiToken.unsaved(user=running.users["viewer" if name == "owner" else "owner"], name="somebody else's")
    token.save()
    build = ImageBuild.objects.create(tag="claude-dev-base:latest", actor_name="x", state=BuildState.RUNNING)
    channel = Channel.objects.create(project=running.project, name="ops", kind=ChannelKind.EMAIL, target="ops@example.com")
    monkeypatch.setattr("projects.api.images.start_build", _busy)
    named = {"slug": "web", "username": "viewer", "host": "github.com", "name": "API_KEY"}
    values = {
        **named,
        "run_id": run.pk,
        "build_id": build.pk,
        "token_id": token.pk,
        "invitation_id": 1,
        "channel_id": channel.pk,
        "clone_id": 1,
    }
    free = running.host.workspace("free")
    body = {key: value.format(free=free) if isinstance(value, str) else value for key, value in call.body.items()} if call.body else None
    answer = running.call(name, call.method, "/api" + call.path.format(**values), body)
    assert answer.status_code == expected(call, name), answer.content
    if answer.status_code >= 400:
        assert set(answer.json()) == {"detail"}
        assert len(answer.json()["detail"].split()) > 3


@pytest.mark.parametrize("call", [call for call in CALLS if "{" in call.path], ids=str)
def test_nobody_gets_401_for_what_does_not_exist_too(db, pages, call):
    values = {
        "slug": "none",
        "run_id": "none",
        "username": "none",
        "host": "none",
        "name": "none",
        "build_id": 0,
        "token_id": 0,
        "invitation_id": 0,
        "channel_id": 0,
        "clone_id": 0,
    }
    answer = Client().generic(call.method, "/api" + call.path.format(**values), "{", content_type="application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize("call", [call for call in CALLS if "{slug}" in call.path], ids=str)
def test_a_stranger_cannot_tell_a_project_from_none(running, call):
    answers = []
    for slug in ("web", "none"):
        path = "/api" + call.path.format(slug=slug, username="viewer", host="github.com", name="API_KEY")
        answers.append(running.call("stranger", call.method, path, call.body))
    there, none = answers
    assert (there.status_code, there.content) == (none.status_code, none.content)
    assert there.status_code == 404


def test_the_table_has_every_call():
    document = api.get_openapi_schema(path_params={})
    declared = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    tabled = {(call.method, "/api" + call.path.partition("?")[0]) for call in CALLS}
    assert declared == tabled


ELSEWHERE = {
    "lend host credentials",  # a field of the settings: tests/api/test_projects.py
    "change owner of the workspace",
    "everybody's tokens",  # the admin
    "signs of life of the hub",  # the admin
    "own sessions",  # these four: the pages, tests/pages/test_cast.py
    "settle drift",
    "doctor",
}


def test_every_use_case_is_offered_by_a_call_or_by_another_door():
    assert {call.use_case for call in CALLS} | ELSEWHERE == set(USE_CASES)
    assert not {call.use_case for call in CALLS} & ELSEWHERE


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("use_case", USE_CASES)
def test_what_the_table_allows_is_what_access_decides(cast, name, use_case):
    user = AnonymousUser() if name == "nobody" else cast.users[name]
    project = None if isinstance(USE_CASES[use_case], Standing) else cast.project
    assert may_use(user, use_case, project) is (allowed(use_case, name) == YES)


def test_the_committed_table_is_the_generated_one(settings):
    assert (settings.BASE_DIR / "docs" / "access.md").read_text() == access_table(), "run python manage.py access_table"


def _busy(**_):
    raise Busy("A build of this image is under way already; wait for it.")
