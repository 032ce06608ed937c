"""The dashboard's buttons: a POST, by those who may, with a question first where something is lost."""

import pytest
from django.urls import reverse

from projects.engine.base import Change
from projects.models import Batch, Project
from projects.states import BatchAction, ChangeKind

OPERATORS = ("administrator", "owner", "operator")


def press(cast, name, **fields):
    client = cast.browser(name)
    client.handler.enforce_csrf_checks = False
    return client.post("/act/", fields)


@pytest.fixture(autouse=True)
def at_once(monkeypatch, fake_engine):
    monkeypatch.setattr("projects.views.act.WAIT_SECONDS", 0)


def test_only_a_post_does_anything(cast):
    assert cast.browser("owner").get("/act/?action=ensure&slug=web").status_code == 405
    assert cast.browser("owner").post("/act/", {"action": "ensure", "slug": "web"}).status_code == 403  # without its token
    assert not Batch.objects.exists()


@pytest.mark.parametrize("name", OPERATORS)
def test_ensure_is_begun_at_once(cast, name):
    answer = press(cast, name, do="ensure web", next="/?q=x")
    assert (answer.status_code, answer["Location"]) == (302, "/?q=x")
    assert Batch.objects.get().action == BatchAction.ENSURE


@pytest.mark.parametrize("action", ["stop", "restart", "refresh", "remove_container"])
def test_what_loses_something_asks_first_and_says_what(cast, action):
    page = press(cast, "operator", action=action, slug="web").content.decode()
    assert "What is lost" in page
    assert "What is kept" in page
    assert "autofocus>Cancel" in page
    assert not Batch.objects.exists()
    assert press(cast, "operator", action=action, slug="web", confirmed="1").status_code == 302
    assert Batch.objects.get().action == action


def test_a_viewer_is_refused_with_the_reason(cast):
    page = press(cast, "viewer", action="stop", slug="web").content.decode()
    assert "needs the operator role" in page
    assert 'type="button" class="danger" disabled' in page
    press(cast, "viewer", action="stop", slug="web", confirmed="1")
    item = Batch.objects.get().items.get()
    assert item.state == "failed"
    assert "operator role" in item.message


def test_a_stranger_finds_nothing_to_act_on(cast):
    press(cast, "stranger", action="stop", slug="web", confirmed="1")
    assert not Batch.objects.exists()
    answer = cast.browser("stranger").get("/")
    assert b"Choose at least one project" not in answer.content  # said once, to the one who pressed


def test_nobody_is_sent_to_sign_in(cast):
    from django.test import Client

    assert Client().post("/act/", {"do": "stop web"})["Location"].startswith("/accounts/login/")


def test_several_lead_to_a_page_with_a_result_for_each(cast):
    Project.objects.create(slug="two", name="two", path="/two")
    answer = press(cast, "administrator", action="ensure", slug=["web", "two"])
    batch = Batch.objects.get()
    assert answer["Location"] == reverse("batch", args=[batch.pk])
    page = cast.browser("administrator").get(answer["Location"]).content.decode()
    assert page.count('id="item-') == 2
    assert cast.browser("owner").get(answer["Location"]).status_code == 404  # it is the administrator's


@pytest.mark.parametrize("fields", [{}, {"action": "eat", "slug": "web"}, {"do": "run_command web"}, {"do": "\0"}, {"do": "ensure"}])
def test_what_is_no_action_does_nothing(cast, fields):
    assert press(cast, "owner", **fields).status_code in (302, 404)
    assert not Batch.objects.exists()


def test_one_is_led_back_into_the_hub_only(cast):
    assert press(cast, "owner", do="ensure web", next="https://evil.example/")["Location"] == "/"


def test_before_a_refresh_the_page_that_asks_names_what_would_be_lost(running, fake_engine):
    (box,) = fake_engine.boxes.values()
    box.changes = (Change("/var/lib/dpkg/info/ripgrep.list", ChangeKind.ADDED), Change("/opt/tool", ChangeKind.ADDED))
    text = press(running, "operator", action="refresh", slug="web").content.decode()
    assert "1 package of apt (ripgrep); 1 file outside of the workspace and the home directory." in text
    assert "ripgrep" not in press(running, "operator", action="stop", slug="web").content.decode()
