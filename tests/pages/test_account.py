"""One's own account: tokens that are shown once, sessions that are ended, and nobody else's."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client

from projects.models import ApiToken, Event
from projects.services.record import Actor
from projects.services.sessions import browser_of
from projects.services.tokens import make_token
from tests.cast import EVERYBODY

SIGNED_IN = [name for name in EVERYBODY if name != "nobody"]
DESK = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0.0.0 Mobile Safari/537.36"
KEY = re.compile(r'id="new-key" value="(hub_[\w-]+)"')


def found_in(pattern: "re.Pattern[str]", answer: Any) -> str:
    found = pattern.search(answer.content.decode())
    assert found, "it is not on the page"
    return found[1]


def send(client: Client, path: str, **fields: object):
    client.get("/account/")
    return client.post(path, {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value})


@pytest.mark.parametrize("name", SIGNED_IN)
def test_everybody_makes_a_token_that_is_shown_once_and_opens_what_he_may(cast, name):
    client = cast.browser(name)
    answer = send(client, "/account/tokens/", name="deploy", days="30")
    assert (answer.status_code, answer["Location"]) == (302, "/account/#tokens")
    first = client.get("/account/")
    assert "no-store" in first["Cache-Control"]
    key = found_in(KEY, first)
    assert not KEY.search(client.get("/account/").content.decode())
    assert key not in str(list(Session.objects.values()) + list(ApiToken.objects.values()) + list(Event.objects.values()))
    found = Client(headers={"authorization": f"Bearer {key}"}).get("/api/projects").json()["items"]
    assert bool(found) is (name != "stranger")
    token = ApiToken.objects.get()
    assert (token.user, token.name) == (cast.users[name], "deploy")
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - token.created_at <= timedelta(days=30)


@pytest.mark.parametrize(
    ("fields", "told"), [({"name": ""}, "Give the token a name"), ({"name": "a", "days": "9"}, "Select a valid choice")]
)
def test_what_is_wrong_is_said(cast, fields, told):
    client = cast.browser("owner")
    send(client, "/account/tokens/", **fields)
    assert told in client.get("/account/").content.decode()
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_by_its_own_user_only(cast):
    token, key = make_token(user=cast.users["owner"], name="old", actor=Actor.of(cast.users["owner"]))
    assert send(cast.browser("administrator"), f"/account/tokens/{token.pk}/revoke/").status_code == 404
    client = cast.browser("owner")
    assert send(client, f"/account/tokens/{token.pk}/revoke/").status_code == 302
    assert Client(headers={"authorization": f"Bearer {key}"}).get("/api/projects").status_code == 401
    page = client.get("/account/").content.decode()
    assert "opens nothing any more" in page
    assert "1 that open nothing any more" in page


def test_sessions_are_told_apart_and_the_others_are_ended(cast):
    cast.users["owner"].set_password("correct horse battery")
    cast.users["owner"].save()
    here, there = Client(headers={"user-agent": DESK}), Client(headers={"user-agent": PHONE})
    for client in (here, there):
        client.post("/accounts/login/", {"login": "owner", "password": "correct horse battery"})
    stranger = cast.browser("stranger")
    page = here.get("/account/").content.decode()
    assert page.index("Firefox 140 on Linux") < page.index("this one") < page.index("Chrome 150 on Android")
    assert not [client for client in (here, there) if str(client.session.session_key) in page]
    assert page.count("127.0.0.1") == 2
    send(here, "/account/sessions/end/")
    assert there.get("/account/").status_code == 302
    assert here.get("/account/").status_code == 200
    assert stranger.get("/account/").status_code == 200
    assert Event.objects.filter(kind="session.ended", actor_name="owner").count() == 1


def test_one_session_is_ended_by_name_and_nobody_elses(cast):
    one, other, stranger = cast.browser("owner"), cast.browser("owner"), cast.browser("stranger")
    named = found_in(re.compile(r'name="session" value="(\w+)"'), one.get("/account/"))
    send(stranger, "/account/sessions/end/", session=named)
    assert other.get("/account/").status_code == 200
    send(one, "/account/sessions/end/", session=named)
    assert other.get("/account/").status_code == 302
    assert one.get("/account/").status_code == 200


def test_a_session_that_a_new_password_ended_is_not_told_of(cast):
    cast.browser("owner")
    cast.users["owner"].set_password("another correct horse")
    cast.users["owner"].save()
    fresh = cast.browser("owner")
    assert len(fresh.get("/account/").context["sessions"]) == 1


@pytest.mark.parametrize("path", ["/account/", "/account/tokens/", "/account/sessions/end/"])
def test_who_is_not_signed_in_has_no_account(cast, path):
    client = Client()
    answer = client.get(path) if path == "/account/" else client.post(path)
    assert answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        ("", "not known"),
        ("curl/8.5.0", "curl/8.5.0"),
        (f"{PHONE} Edg/150.0", "Edge 150 on Android"),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 15_1) AppleWebKit/605.1 (KHTML, like Gecko) Version/18.1 Safari/605.1",
            "Safari 18 on macOS",
        ),
    ],
)
def test_a_browser_is_told_in_a_few_words(agent, words):
    assert browser_of(agent) == words
