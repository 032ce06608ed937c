"""The invitation's page, and the second factor: through the pages, with CSRF checked and real codes."""

import logging
import re

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth as totp
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.test import Client

from containerhub.logs import logging_config, mask_keys
from projects.models import ApiToken, Event, Invitation
from projects.services.invitations import invite, revoke_invitation
from projects.services.record import HUB
from projects.states import Role
from tests.cast import cast, pages
from tests.test_pages import INLINE

__all__ = ["cast", "pages"]

PASSWORD = "correct horse battery"
ACTIVATE = "/accounts/2fa/totp/activate/"


@pytest.fixture(autouse=True)
def _no_rates_of_other_tests(db):
    cache.clear()


def post(client: Client, path: str, **fields: str):
    """As a browser does: with the token of the page that it was given."""
    client.get(path)
    return client.post(path, {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value})


def accept(client: Client, key: str, username: str = "ada", password: str = PASSWORD, again: str = PASSWORD):
    return post(client, f"/accounts/invitation/{key}/", username=username, password=password, password_again=again)


def code_of(secret: str) -> str:
    return str(totp.format_hotp_value(totp.hotp_value(secret, next(totp.yield_hotp_counters_from_time()))))


def activate(client: Client, password: str = PASSWORD) -> str:
    """Sets up TOTP as its page asks for it, the password once more first; answers the secret."""
    again = client.get(ACTIVATE)["Location"]
    assert post(client, again, password=password)["Location"] == ACTIVATE
    assert client.get(ACTIVATE).status_code == 200
    secret: str = client.session["mfa.totp.secret"]
    fields = {"code": code_of(secret), "csrfmiddlewaretoken": client.cookies["csrftoken"].value}
    assert client.post(ACTIVATE, fields).status_code == 302  # not `post`: each look at the page makes another secret
    return secret


def require(settings, who: str) -> None:
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"require_second_factor": who})


def test_the_page_says_who_invites_to_what_and_changes_nothing(cast):
    _, key = invite(actor=HUB, username="ada", roles={cast.project: Role.OPERATOR})
    before = (Event.objects.count(), list(Invitation.objects.values()))
    answer = Client().get(f"/accounts/invitation/{key}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "hub invites you" in page
    assert "operator of the project" in page
    assert 'value="ada"' in page
    assert before == (Event.objects.count(), list(Invitation.objects.values()))
    assert not INLINE.search(answer.content)


def test_its_address_goes_nowhere_else(cast):
    _, key = invite(actor=HUB)
    for known in (key, "none"):
        answer = Client().get(f"/accounts/invitation/{known}/")
        assert answer["Referrer-Policy"] == "strict-origin"
        assert "no-store" in answer["Cache-Control"]


def test_accepting_makes_the_account_and_signs_in(cast):
    _, key = invite(actor=HUB, roles={cast.project: Role.VIEWER})
    client = Client(enforce_csrf_checks=True)
    answer = accept(client, key)
    assert (answer.status_code, answer["Location"]) == (302, "/")
    assert cast.project.path in client.get("/").content.decode()
    again = Client().get(f"/accounts/invitation/{key}/")
    assert again.status_code == 410
    assert b"was used already" in again.content


def test_a_form_of_another_site_makes_nothing(pages):
    _, key = invite(actor=HUB)
    answer = Client(enforce_csrf_checks=True).post(f"/accounts/invitation/{key}/", {"username": "eve"})
    assert answer.status_code == 403
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize(
    ("username", "password", "again", "told"),
    [
        ("ada", PASSWORD, "another", "passwords differ"),
        ("ada", "12345678", "12345678", "too common"),
        ("hub", PASSWORD, PASSWORD, "another username"),
        ("a b", PASSWORD, PASSWORD, "valid username"),
    ],
)
def test_what_is_wrong_is_said_and_may_be_corrected(pages, username, password, again, told):
    _, key = invite(actor=HUB)
    client = Client(enforce_csrf_checks=True)
    answer = accept(client, key, username, password, again)
    assert answer.status_code == 200
    assert told in answer.content.decode()
    assert accept(client, key).status_code == 302


def test_a_link_that_is_wrong_or_revoked_says_so(pages):
    invitation, key = invite(actor=HUB)
    revoke_invitation(invitation=invitation, actor=HUB)
    assert Client().get("/accounts/invitation/none/").status_code == 404
    for answer in (Client().get(f"/accounts/invitation/{key}/"), Client().post(f"/accounts/invitation/{key}/")):
        assert answer.status_code in (404, 410)
        assert b"ask an administrator" in answer.content


def test_who_is_signed_in_is_told_to_sign_out_first(cast):
    _, key = invite(actor=HUB)
    client = cast.browser("owner")
    assert b"sign out" in client.get(f"/accounts/invitation/{key}/").content
    assert Invitation.objects.get().state == "open"


def test_guessing_is_slowed_down(pages):
    client = Client()
    statuses = {client.post(f"/accounts/invitation/guess{number}/").status_code for number in range(40)}
    assert statuses == {404, 429}


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_no_log_shows_the_key(log_format):
    formatter = logging_config(log_format)["formatters"]["hub"]
    made = formatter.pop("()")(**formatter)
    record = logging.LogRecord("django.request", logging.WARNING, "", 1, "Gone: %s", ("/accounts/invitation/s3cr3t-key/",), None)
    assert "s3cr3t" not in made.format(record)
    assert "/accounts/invitation/***/" in made.format(record)
    assert mask_keys(None, "info", "GET /accounts/login/") == "GET /accounts/login/"


def test_a_guest_who_must_have_a_second_factor_sets_one_up_first_and_signs_in_with_it(cast, settings):
    require(settings, "everyone")
    _, key = invite(actor=HUB)
    client = Client(enforce_csrf_checks=True)
    assert accept(client, key).status_code == 302
    assert client.get("/")["Location"] == ACTIVATE
    refused = client.get("/api/projects")
    assert refused.status_code == 403
    assert ACTIVATE in refused.json()["detail"]
    secret = activate(client)
    assert client.get("/").status_code == 200
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    cache.clear()  # a code is good once, and this is still the same half minute
    fresh = Client(enforce_csrf_checks=True)
    first = post(fresh, "/accounts/login/", login="ada", password=PASSWORD)
    assert first["Location"].startswith("/accounts/2fa/authenticate/")
    assert fresh.get("/").status_code == 302
    assert post(fresh, first["Location"], code="000000").status_code == 200
    assert post(fresh, first["Location"], code=code_of(secret)).status_code == 302
    assert fresh.get("/").status_code == 200


def test_a_recovery_code_opens_once(cast):
    owner = cast.users["owner"]
    owner.set_password(PASSWORD)
    owner.save()
    client = Client(enforce_csrf_checks=True)
    post(client, "/accounts/login/", login="owner", password=PASSWORD)
    activate(client)
    codes = re.findall(r"\b\d{8}\b|\b[0-9a-f]{8}\b", client.get("/accounts/2fa/recovery-codes/").content.decode())
    assert codes
    statuses = []
    for _ in range(2):
        fresh = Client(enforce_csrf_checks=True)
        step = post(fresh, "/accounts/login/", login="owner", password=PASSWORD)
        statuses.append(post(fresh, step["Location"], code=codes[0]).status_code)
    assert statuses == [302, 200]


@pytest.mark.parametrize(("who", "led"), [("none", set()), ("administrators", {"administrator"}), ("everyone", {"administrator", "owner"})])
def test_only_those_are_led_there_whom_the_setting_means(cast, settings, who, led):
    require(settings, who)
    answers = {name: cast.browser(name).get("/") for name in ("administrator", "owner")}
    assert {name for name, answer in answers.items() if answer.status_code == 302} == led


def test_the_admin_is_behind_it_too_and_signing_out_is_not(cast, settings):
    require(settings, "administrators")
    client = cast.browser("administrator")
    assert client.get("/admin/")["Location"] == ACTIVATE
    assert client.get("/api/docs").status_code == 403
    assert client.get("/accounts/logout/").status_code == 200


def test_recovery_codes_alone_are_no_second_factor(cast, settings):
    require(settings, "everyone")
    Authenticator.objects.create(user=cast.users["owner"], type="recovery_codes", data={})
    assert cast.browser("owner").get("/")["Location"] == ACTIVATE


def test_an_api_token_needs_none(cast, settings):
    require(settings, "everyone")
    assert cast.call("owner", "GET", "/api/projects").status_code == 200
    _, key = ApiToken.unsaved(user=cast.users["owner"], name="never saved")
    client = cast.browser("owner")
    assert client.get("/api/projects", headers={"authorization": f"Bearer {key}"}).status_code == 401
    assert client.get("/api/projects", headers={"authorization": "Basic x"}).status_code == 403
