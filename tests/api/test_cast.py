"""Every call, tried by everyone: one table, and a check that no call is missing from it."""

from dataclasses import dataclass

import pytest
from django.test import Client

from projects.api import api
from projects.models import ApiToken, CommandRun, ImageBuild
from projects.services.errors import Busy
from projects.states import BuildState, RunState
from tests.cast import EVERYBODY


@dataclass(frozen=True)
class Call:
    """`least`: who may, at least; of "anyone" every signed-in user. `status` is the answer to those who may."""

    method: str
    path: str
    least: str
    status: int = 200
    body: object = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


P = "/projects/{slug}"
CALLS = [
    Call("GET", "/projects", "anyone"),
    Call("POST", "/projects", "creator", 201, {"name": "New one", "path": "{free}"}),
    Call("GET", "/discovered", "creator"),
    Call("GET", P, "viewer"),
    Call("PATCH", P, "owner", 200, {"pinned": True}),
    Call("DELETE", P, "owner", 204),
    Call("POST", f"{P}/ensure-container", "operator"),
    Call("GET", f"{P}/container", "viewer"),
    Call("DELETE", f"{P}/container", "operator"),
    Call("GET", f"{P}/container/stats", "viewer"),
    Call("GET", f"{P}/container/health", "viewer"),
    Call("GET", f"{P}/container/logs", "viewer"),
    Call("GET", f"{P}/container/decisions", "viewer"),
    Call("GET", f"{P}/container/samples?range=24h", "viewer"),
    Call("POST", f"{P}/container/refresh", "operator"),
    Call("POST", f"{P}/container/start", "operator"),
    Call("POST", f"{P}/container/stop", "operator"),
    Call("POST", f"{P}/container/restart", "operator"),
    Call("POST", f"{P}/commands", "operator", 200, {"command": "true"}),
    Call("GET", "/commands/{run_id}", "viewer"),
    Call("GET", "/commands/{run_id}/output", "viewer"),
    Call("DELETE", "/commands/{run_id}", "operator"),
    Call("GET", f"{P}/members", "viewer"),
    Call("POST", f"{P}/members", "owner", 200, {"username": "viewer", "role": "operator"}),
    Call("DELETE", f"{P}/members/{{username}}", "owner", 204),
    Call("DELETE", f"{P}/members?username=viewer", "owner", 204),
    Call("GET", f"{P}/git-credentials", "viewer"),
    Call("POST", f"{P}/git-credentials", "owner", 201, {"host": "github.com", "token": "abc"}),
    Call("DELETE", f"{P}/git-credentials/{{host}}", "owner", 404),  # there is none
    Call("DELETE", f"{P}/git-credentials?host=github.com", "owner", 404),
    Call("GET", f"{P}/events", "viewer"),
    Call("GET", "/events", "anyone"),
    Call("GET", "/images", "anyone"),
    Call("POST", "/images/build", "administrator", 409),  # one is under way
    Call("GET", "/images/builds/{build_id}", "administrator"),
    Call("GET", "/containers/count", "anyone"),
    Call("POST", "/containers/cleanup", "administrator"),
    Call("GET", "/tokens", "anyone"),
    Call("POST", "/tokens", "anyone", 201, {"name": "x"}),
    Call("DELETE", "/tokens/{token_id}", "anyone", 404),  # somebody else's
    Call("DELETE", "/tokens?id={token_id}", "anyone", 404),
]
ORDER = ["viewer", "operator", "owner", "administrator"]


def expected(call: Call, name: str) -> int:
    if name == "nobody":
        return 401
    if call.least == "anyone":
        return call.status
    if call.least in ("creator", "administrator"):
        return call.status if name == "administrator" else 403
    if name == "stranger":
        return 404
    return call.status if ORDER.index(name) >= ORDER.index(call.least) else 403


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
    monkeypatch.setattr("projects.api.images.start_build", _busy)
    values = {"slug": "web", "run_id": run.pk, "username": "viewer", "host": "github.com", "build_id": build.pk, "token_id": token.pk}
    free = running.host.workspace("free")
    body = {key: value.format(free=free) if isinstance(value, str) else value for key, value in call.body.items()} if call.body else None
    answer = running.call(name, call.method, "/api" + call.path.format(**values), body)
    assert answer.status_code == expected(call, name), answer.content
    if answer.status_code >= 400:
        assert set(answer.json()) == {"detail"}
        assert len(answer.json()["detail"].split()) > 3


@pytest.mark.parametrize("call", [call for call in CALLS if "{" in call.path], ids=str)
def test_nobody_gets_401_for_what_does_not_exist_too(db, pages, call):
    values = {"slug": "none", "run_id": "none", "username": "none", "host": "none", "build_id": 0, "token_id": 0}
    answer = Client().generic(call.method, "/api" + call.path.format(**values), "{", content_type="application/json")
    assert answer.status_code == 401


@pytest.mark.parametrize("call", [call for call in CALLS if "{slug}" in call.path], ids=str)
def test_a_stranger_cannot_tell_a_project_from_none(running, call):
    answers = []
    for slug in ("web", "none"):
        path = "/api" + call.path.format(slug=slug, username="viewer", host="github.com")
        answers.append(running.call("stranger", call.method, path, call.body))
    there, none = answers
    assert (there.status_code, there.content) == (none.status_code, none.content)
    assert there.status_code == 404


def test_the_table_has_every_call():
    document = api.get_openapi_schema(path_params={})
    declared = {(method.upper(), path) for path, operations in document["paths"].items() for method in operations}
    tabled = {(call.method, "/api" + call.path.partition("?")[0]) for call in CALLS}
    assert declared == tabled


def _busy(**_):
    raise Busy("A build of this image is under way already; wait for it.")
