"""The pages that there are: sign-in, the list of projects, and the account's."""

import re

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from projects.models import Project
from tests.cast import EVERYBODY, cast, pages

__all__ = ["cast", "pages"]

INLINE = re.compile(rb"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*(?:\ssrc=|type=\"application/json\"))", re.IGNORECASE)


def sign_in(client: Client, password: str, **more: str):
    return client.post("/accounts/login/", {"login": "ada", "password": password, **more})


@pytest.fixture
def ada(db, pages):
    return get_user_model().objects.create_user("ada", password="correct horse battery")


def test_who_is_not_signed_in_is_sent_to_the_sign_in_page(db, pages):
    answer = Client().get("/")
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/")


def test_signing_in_leads_back_to_the_page_that_was_asked_for(ada):
    client = Client(enforce_csrf_checks=True)
    token = client.get("/accounts/login/?next=/api/docs").cookies["csrftoken"].value
    answer = sign_in(client, "correct horse battery", next="/api/docs", csrfmiddlewaretoken=token)
    assert (answer.status_code, answer["Location"]) == (302, "/api/docs")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("password", ["wrong", "", "x" * 10_000, "a\0b"])
def test_a_wrong_password_does_not_open(ada, password):
    client = Client()
    answer = sign_in(client, password)
    assert answer.status_code == 200
    assert client.get("/").status_code == 302


def test_signing_in_leads_nowhere_else(ada):
    assert sign_in(Client(), "correct horse battery", next="https://evil.example/")["Location"] == "/"


def test_nobody_signs_up(ada):
    assert b"sign up" not in Client().get("/accounts/login/").content.lower()
    Client().post("/accounts/signup/", {"username": "eve", "password1": "correct horse battery", "password2": "correct horse battery"})
    assert not get_user_model().objects.filter(username="eve").exists()


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "nobody"])
def test_the_list_shows_the_projects_that_one_may_see(cast, name):
    Project.objects.create(slug="other", name="other", path="/other")
    page = cast.browser(name).get("/").content.decode()
    assert (cast.project.path in page) is (name != "stranger")
    assert ("/other" in page) is (name == "administrator")


def test_a_name_is_text_never_markup(cast):
    Project.objects.update(name="<script>alert(1)</script>")
    assert b"<script>alert" not in cast.browser("owner").get("/").content


def test_signing_out_ends_the_session(cast):
    client = cast.browser("owner")
    client.get("/")
    answer = client.post("/accounts/logout/", {"csrfmiddlewaretoken": client.cookies["csrftoken"].value})
    assert answer.status_code == 302
    assert client.get("/").status_code == 302


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/accounts/login/",
        "/accounts/logout/",
        "/accounts/password/set/",
        "/accounts/email/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/api/docs",
        "/admin/",
        "/admin/projects/project/",
        "/admin/projects/project/add/",
        "/nope/",
    ],
)
def test_no_page_has_anything_inline_that_the_policy_forbids(cast, path):
    client = Client() if path == "/accounts/login/" else cast.browser("administrator")
    answer = client.get(path, follow=True)
    assert answer.status_code == (404 if path == "/nope/" else 200)
    assert not INLINE.search(answer.content), INLINE.search(answer.content)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy


def test_a_browser_finds_the_icon_where_it_looks(client, pages):
    answer = client.get("/favicon.ico")
    assert answer.status_code == 302
    assert answer["Location"].endswith("/projects/icon.svg")
