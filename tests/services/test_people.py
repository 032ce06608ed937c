"""Accounts: made, switched off, never without an administrator, and every change recorded."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model
from django.test import Client

from projects.models import ApiToken, Event
from projects.services import people
from projects.services.errors import BadInput, NotFound, Taken
from projects.services.invitations import invite, open_invitation
from projects.services.record import HUB, Actor
from projects.services.tokens import user_of_key
from tests.cast import cast, pages

__all__ = ["cast", "pages"]

PASSWORD = "correct horse battery"


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def fresh(user):
    return get_user_model().objects.get(pk=user.pk)


def test_an_account_is_made_with_its_rights_and_recorded_without_its_password(db):
    user = people.create_user(actor=HUB, username="ada", password=PASSWORD, email="ada@example.com", may_create_projects=True)
    assert fresh(user).check_password(PASSWORD)
    assert fresh(user).has_perm("projects.add_project")
    event = Event.objects.get()
    assert (event.kind, event.actor_name, event.details["username"]) == ("user.created", "hub", "ada")
    assert PASSWORD not in f"{event.message} {event.details}"


def test_without_a_password_nobody_signs_in(db):
    assert not people.create_user(actor=HUB, username="ada").has_usable_password()


@pytest.mark.parametrize("name", ["", " ", "a b", "hub", "Watcher", "x" * 151, "a\0b"])
def test_a_bad_name_is_refused(db, name):
    with pytest.raises(BadInput):
        people.create_user(actor=HUB, username=name)


@pytest.mark.parametrize("password", ["short", "12345678901", "password", "ada-lovelace", "x" * 2000])
def test_a_weak_password_is_refused_in_words(db, password):
    with pytest.raises(BadInput, match=r"password|at most"):
        people.create_user(actor=HUB, username="ada-lovelace", password=password)
    assert not get_user_model().objects.exists()


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_a_name_is_given_once_whatever_its_case(db, name):
    people.create_user(actor=HUB, username="ada")
    with pytest.raises(Taken):
        people.create_user(actor=HUB, username=name)


def test_the_last_active_administrator_stays_one(cast):
    last = cast.users["administrator"]
    people.create_user(actor=HUB, username="other", administrator=True)
    people.deactivate_user(user=people.find_user("other"), actor=HUB)
    for attempt in (
        lambda: people.deactivate_user(user=last, actor=HUB),
        lambda: people.set_administrator(user=last, administrator=False, actor=HUB),
    ):
        with pytest.raises(BadInput, match="last active administrator"):
            attempt()
    assert fresh(last).is_active
    assert fresh(last).is_superuser


def test_who_is_switched_off_is_out_at_once_and_his_rows_stay(cast):
    owner = cast.users["owner"]
    browser = cast.browser("owner")
    token, key = ApiToken.unsaved(user=owner, name="t")
    token.save()
    assert browser.get("/").status_code == 200
    people.deactivate_user(user=owner, actor=Actor.of(cast.users["administrator"]))
    assert browser.get("/").status_code == 302
    assert browser.get("/api/projects").status_code == 401
    assert user_of_key(key) is None
    assert Client(headers={"authorization": f"Bearer {key}"}).get("/api/projects").status_code == 401
    assert owner.memberships.exists()
    people.set_active(user=owner, active=True, actor=HUB)
    assert browser.get("/").status_code == 302  # the session ended, it did not only sleep
    assert kinds()[-2:] == ["user.deactivated", "user.activated"]


def test_a_change_that_changes_nothing_is_not_recorded(cast):
    owner = cast.users["owner"]
    people.change_user(user=owner, actor=HUB, active=True, administrator=False, staff=False, may_create_projects=False, email="")
    assert not Event.objects.filter(kind__startswith="user.").exists()


def test_a_change_is_done_whole_or_not_at_all(cast):
    with pytest.raises(BadInput):
        people.change_user(user=cast.users["owner"], actor=HUB, administrator=True, password="short")
    assert not fresh(cast.users["owner"]).is_superuser


def test_a_right_holds_at_once_and_no_longer_when_taken_back(cast):
    owner = cast.users["owner"]
    assert cast.call("owner", "GET", "/api/users").status_code == 403
    people.set_administrator(user=owner, administrator=True, actor=HUB)
    assert cast.call("owner", "GET", "/api/users").status_code == 200
    _, key = invite(actor=Actor.of(owner))
    people.set_administrator(user=owner, administrator=False, actor=HUB)
    assert cast.call("owner", "GET", "/api/users").status_code == 403
    with pytest.raises(Exception, match="revoked"):  # an invitation is worth what its author may
        open_invitation(key)


def test_the_right_to_make_projects_is_granted_and_taken_back(cast):
    stranger = cast.users["stranger"]
    people.grant_project_creation(user=stranger, actor=HUB)
    assert cast.call("stranger", "GET", "/api/discovered").status_code == 200
    people.grant_project_creation(user=stranger, granted=False, actor=HUB)
    assert cast.call("stranger", "GET", "/api/discovered").status_code == 403


def test_a_new_password_ends_every_session(cast):
    browser = cast.browser("owner")
    people.set_password(user=cast.users["owner"], password=PASSWORD, actor=HUB)
    assert browser.get("/").status_code == 302
    assert fresh(cast.users["owner"]).check_password(PASSWORD)


def test_ending_sessions_ends_those_of_one_account_only(cast):
    mine, other = cast.browser("owner"), cast.browser("viewer")
    assert people.end_sessions(user=cast.users["owner"], actor=HUB) == 1
    assert (mine.get("/").status_code, other.get("/").status_code) == (302, 200)


def test_a_lost_second_factor_is_removed_and_recorded(cast):
    owner = cast.users["owner"]
    for kind in Authenticator.Type:
        Authenticator.objects.create(user=owner, type=kind, data={})
    having = people.list_users().filter(second_factor=True)
    assert list(having) == [owner]
    assert people.remove_second_factor(user=owner, actor=HUB)
    assert not having.all()
    assert not people.remove_second_factor(user=owner, actor=HUB)
    assert kinds().count("user.second_factor_removed") == 1


@pytest.mark.parametrize("name", ["none", "a\0b"])
def test_an_unknown_name_is_not_found(db, name):
    with pytest.raises(NotFound):
        people.find_user(name)
