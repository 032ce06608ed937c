import pytest
from django.test import Client
from django.utils import timezone

from projects.models import ApiToken, Project


def test_a_bearer_token_opens_and_needs_no_csrf_token(cast):
    token, key = ApiToken.unsaved(user=cast.users["owner"], name="t")
    token.save()
    client = Client(enforce_csrf_checks=True, headers={"authorization": f"Bearer {key}"})
    assert client.get("/api/projects/web").status_code == 200
    assert client.patch("/api/projects/web", {"pinned": True}, content_type="application/json").status_code == 200


@pytest.mark.parametrize(
    "header", ["Bearer nonsense", "Bearer ", "bearer", "Bearer hub_" + "x" * 43, "Bearer é", "Bearer " + "x" * 100_000]
)
def test_a_bad_token_is_refused_also_beside_a_good_session(cast, header):
    client = cast.browser("administrator")
    answer = client.get("/api/projects", headers={"authorization": header})
    assert answer.status_code == 401
    assert set(answer.json()) == {"detail"}


@pytest.mark.parametrize("change", ["revoked", "expired", "inactive"])
def test_a_token_that_ended_is_refused(cast, change):
    client = cast.api("owner")
    assert client.get("/api/projects").status_code == 200
    if change == "revoked":
        ApiToken.objects.update(revoked_at=timezone.now())
    elif change == "expired":
        ApiToken.objects.update(expires_at=timezone.now())
    else:
        cast.users["owner"].is_active = False
        cast.users["owner"].save()
    assert client.get("/api/projects").status_code == 401


def test_a_session_opens_but_changes_need_the_csrf_token(cast):
    client = cast.browser("owner")
    assert client.get("/api/projects/web").status_code == 200
    answer = client.patch("/api/projects/web", {"pinned": True}, content_type="application/json")
    assert answer.status_code == 403
    assert "CSRF" in answer.json()["detail"]
    assert not Project.objects.get().pinned
    client.get("/")
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.patch("/api/projects/web", {"pinned": True}, content_type="application/json", headers=headers).status_code == 200


def test_the_session_of_an_inactive_user_is_refused(cast):
    client = cast.browser("owner")
    type(cast.users["owner"]).objects.filter(username="owner").update(is_active=False)
    assert client.get("/api/projects").status_code == 401


@pytest.mark.parametrize("method", ["post", "patch", "put", "delete"])
def test_nobody_gets_401_and_no_csrf_puzzle(db, pages, method):
    answer = getattr(Client(enforce_csrf_checks=True), method)("/api/projects/web", {}, content_type="application/json")
    assert answer.status_code in (401, 405)
    assert answer.json()["detail"]


def test_unknown_addresses_and_methods_answer_in_json(cast):
    client = Client(enforce_csrf_checks=True)
    for path in ("/api", "/api/", "/api/nope", "/api/projects/", "/api/projects/web/nope", "/api/projects/a%2Fb", "/api/%00"):
        for method in ("get", "post", "delete"):
            answer = getattr(client, method)(path)
            assert (answer.status_code, set(answer.json())) == (404, {"detail"}), path
    answer = cast.api("owner").put("/api/projects")
    assert (answer.status_code, answer["Allow"]) == (405, "GET, POST")
    assert "GET, POST" in answer.json()["detail"]


def test_the_documents_need_a_sign_in(cast):
    assert Client().get("/api/openapi.json").status_code == 401
    page = Client().get("/api/docs")
    assert (page.status_code, page["Location"]) == (302, "/accounts/login/?next=/api/docs")
    for client in (cast.api("stranger"), cast.browser("stranger")):
        assert client.get("/api/openapi.json").json()["info"]["title"] == "ContainerHub"
        assert b"swagger-ui" in client.get("/api/docs").content


def test_nothing_of_the_api_is_kept_by_caches(cast):
    assert cast.api("owner").get("/api/projects")["Cache-Control"] == "no-store"


def test_a_key_is_shown_once_and_opens_until_it_is_revoked(cast):
    client = cast.api("stranger")
    made = client.post("/api/tokens", {"name": "laptop", "expires_at": "2990-01-01T00:00:00Z"}, content_type="application/json")
    assert made.status_code == 201
    key = made.json()["key"]
    with_it = Client(headers={"authorization": f"Bearer {key}"})
    listed = with_it.get("/api/tokens").json()["items"]
    assert listed[0]["name"] == "laptop"
    assert key not in repr(listed)
    assert with_it.delete(f"/api/tokens/{made.json()['id']}").status_code == 204
    assert with_it.get("/api/tokens").status_code == 401
    assert client.get("/api/tokens").json()["items"][0]["revoked_at"]


def test_nobody_elses_token_is_found_not_even_by_an_administrator(cast):
    cast.api("owner")
    token = ApiToken.objects.get(user=cast.users["owner"])
    client = cast.api("administrator")
    assert client.delete(f"/api/tokens/{token.pk}").status_code == 404
    assert client.delete(f"/api/tokens?id={token.pk}").status_code == 404
    assert token.pk not in [item["id"] for item in client.get("/api/tokens").json()["items"]]
