"""Nothing that a caller can send is a fault of the hub: a 4xx and one sentence."""

import json

import pytest

CALLS = [
    ("post", "/api/projects"),
    ("patch", "/api/projects/web"),
    ("post", "/api/projects/web/commands"),
    ("post", "/api/projects/web/members"),
    ("post", "/api/projects/web/git-credentials"),
    ("post", "/api/tokens"),
    ("post", "/api/containers/cleanup"),
    ("post", "/api/images/build"),
]
BODIES = [
    b"",
    b"{",
    b"\xff\xfe",
    b"nul",
    b"[]",
    b'"text"',
    b"7",
    b"null",
    b'{"name": NaN}',
    b'{"cpu_limit": Infinity, "name": "x", "path": "/x"}',
    b'{"cpu_limit": 1e999}',
    b'{"pids_limit": 1' + b"0" * 5000 + b"}",
    b'{"pids_limit": 99999999999999999999999}',
    b'{"name": "a\\u0000b", "path": "/x\\u0000"}',
    b'{"command": "a\\u0000b", "username": "\\u0000", "host": "\\u0000", "token": "\\u0000"}',
    b'{"name": "\\ud800", "path": "/x", "command": "\\udfff"}',
    b'{"\\ud800": 1}',
    b'{"name": "' + b"x" * 10_000 + b'", "path": "/' + b"x" * 10_000 + b'"}',
    b'{"command": "' + b"x" * 200_000 + b'"}',
    b'{"name": 5, "path": [], "command": {}, "username": true, "host": 1.5, "role": "king"}',
    b'{"unknown": 1}',
    b'{"environment": {"A": 1}}',
    b'{"environment": {"a b": "x"}}',
    b'{"environment": {"A": "' + b"x" * 20_000 + b'"}}',
    b'{"expires_at": "9999-12-31T23:59:59-23:59", "name": "x"}',
    b'{"expires_at": "0001-01-01T00:00:00+23:59", "name": "x"}',
    b'{"expires_at": "2999-01-01T00:00:00", "name": "x"}',
    b'{"expires_at": 1e300, "name": "x"}',
    b'{"dry_run": "perhaps", "no_cache": 7, "name": ""}',
    b"[" * 100_000,
    b'{"a":' * 50 + b"1" + b"}" * 50,
    b'{"name": "' + b"x" * 3_000_000 + b'"}',
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: repr(body[:30]))
def test_every_odd_body_is_refused_with_a_sentence(cast, body):
    client = cast.api("administrator")
    for method, path in CALLS:
        if not body and path in ("/api/containers/cleanup", "/api/images/build"):
            continue  # their body may be left out
        answer = client.generic(method.upper(), path, body, content_type="application/json")
        assert 400 <= answer.status_code < 500, (path, answer.status_code, answer.content[:200])
        detail = answer.json()["detail"]
        assert isinstance(detail, str)
        assert len(detail.split()) >= 4
        assert len(detail) < 600
    assert client.get("/api/projects").json()["items"][0]["name"] == "web"


@pytest.mark.parametrize(
    "content_type", ["text/plain", "multipart/form-data", "multipart/form-data; boundary=", "application/x-www-form-urlencoded", ""]
)
def test_other_content_types_are_no_fault(cast, content_type):
    for client in (cast.api("administrator"), cast.browser("administrator")):
        answer = client.generic("POST", "/api/projects", b"\xff--x\r\n", content_type=content_type)
        assert answer.status_code in (400, 403, 422)
        assert answer.json()["detail"]


@pytest.mark.parametrize(
    "slug", ["nope", "%00", "a%00b", "WEB", "web%0A", "%FF%FE", "%F0%9F%98%80", "..", "%2e%2e", "x" * 5000, "web ", "'", "%25"]
)
@pytest.mark.parametrize("rest", ["", "/container", "/events", "/members", "/container/logs"])
def test_odd_slugs_are_no_project(cast, slug, rest):
    answer = cast.api("administrator").get(f"/api/projects/{slug}{rest}")
    assert answer.status_code == 404
    assert answer.json()["detail"]


@pytest.mark.parametrize("run_id", ["x", "0", "%00", "00000000-0000-0000-0000-000000000000", "9" * 400])
@pytest.mark.parametrize(("method", "rest"), [("get", ""), ("get", "/output"), ("delete", "")])
def test_odd_ids_are_no_command(cast, run_id, method, rest):
    answer = getattr(cast.api("administrator"), method)(f"/api/commands/{run_id}{rest}")
    assert answer.status_code in (404, 422)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/images/builds/0",
        "/api/images/builds/1",
        "/api/images/builds/x",
        "/api/images/builds/-1",
        "/api/images/builds/9223372036854775807",
        "/api/images/builds/9223372036854775808",
        "/api/images/builds/1?offset=99999999999999999999",
        "/api/projects/web/container/logs?tail=0",
        "/api/projects/web/container/logs?tail=10001",
        "/api/projects/web/container/logs?tail=all",
        "/api/events?limit=99999999999999999999999",
    ],
)
def test_odd_numbers_are_refused(cast, path):
    answer = cast.api("administrator").get(path)
    assert answer.status_code in (404, 422)
    assert answer.json()["detail"]


@pytest.mark.parametrize(
    "path", ["/api/tokens/0", "/api/tokens/x", f"/api/tokens/{2**63}", "/api/tokens", "/api/tokens?id=x", f"/api/tokens?id={2**200}"]
)
def test_odd_token_ids_are_refused(cast, path):
    assert cast.api("owner").delete(path).status_code in (404, 422)


@pytest.mark.parametrize("name", ["%00", "%FF", "x" * 1000, "a%2Fb", "%0A", "'"])
def test_odd_names_in_a_path_are_refused(cast, name):
    client = cast.api("owner")
    for part in ("members", "git-credentials"):
        answer = client.delete(f"/api/projects/web/{part}/{name}")
        assert answer.status_code in (400, 404, 422)
        assert answer.json()["detail"]


def test_unknown_query_parameters_are_passed_over(cast):
    assert cast.api("owner").get("/api/projects?%00=%FF&x[]=1&limit=5").status_code == 200


def test_a_refusal_never_repeats_a_secret_value(cast):
    body = {"host": "bad host!", "token": "s3cr3t-value", "unknown": "s3cr3t-value"}
    for content in (body, {**body, "unknown": None}, {"host": "bad host!", "token": "s3cr3t-value"}):
        answer = cast.api("owner").post("/api/projects/web/git-credentials", json.dumps(content), content_type="application/json")
        assert answer.status_code in (400, 422)
        assert b"s3cr3t" not in answer.content
