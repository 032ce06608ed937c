"""Invitations: one link, one account, once."""

from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from projects.models import Event, Invitation
from projects.services.errors import BadInput, NotFound, Spent, Taken
from projects.services.invitations import accept_invitation, invite, open_invitation, revoke_invitation
from projects.services.record import HUB, Actor
from projects.states import Role
from tests.cast import cast, pages

__all__ = ["cast", "pages"]

PASSWORD = "correct horse battery"


def test_a_guest_gets_the_account_and_the_roles_that_he_was_invited_to(cast):
    invitation, key = invite(actor=Actor.of(cast.users["administrator"]), email="a@example.com", roles={cast.project: Role.OPERATOR})
    user = accept_invitation(key=key, username="ada", password=PASSWORD)
    assert user.check_password(PASSWORD)
    assert (user.email, user.is_superuser, user.is_staff) == ("a@example.com", False, False)
    assert list(user.memberships.values_list("project__slug", "role")) == [("web", "operator")]
    invitation.refresh_from_db()
    assert (invitation.state, invitation.accepted_by) == ("accepted", user)
    assert list(Event.objects.order_by("id").values_list("kind", "actor_name")) == [
        ("invitation.created", "administrator"),
        ("user.created", "administrator"),
        ("member.set", "administrator"),
        ("invitation.accepted", "ada"),
    ]


def test_the_key_is_kept_nowhere(db):
    invitation, key = invite(actor=HUB)
    assert key not in str(list(Invitation.objects.values())) + str(list(Event.objects.values()))
    assert Invitation.digest_of(key) == invitation.digest


def test_a_key_opens_once(db):
    _, key = invite(actor=HUB)
    accept_invitation(key=key, username="ada", password=PASSWORD)
    with pytest.raises(Spent, match="used"):
        accept_invitation(key=key, username="eve", password=PASSWORD)
    assert not get_user_model().objects.filter(username="eve").exists()


def test_who_was_slower_by_a_moment_gets_no_account(db, monkeypatch):
    invitation, key = invite(actor=HUB)
    monkeypatch.setattr("projects.services.invitations.open_invitation", lambda key: invitation)  # what both saw before either wrote
    accept_invitation(key=key, username="ada", password=PASSWORD)
    with pytest.raises(Spent, match="this very moment"):
        accept_invitation(key=key, username="eve", password=PASSWORD)
    assert not get_user_model().objects.filter(username="eve").exists()


@pytest.mark.parametrize(
    ("username", "password", "error"), [("taken", PASSWORD, Taken), ("ada", "short", BadInput), ("hub", PASSWORD, BadInput)]
)
def test_a_refusal_leaves_the_invitation_open(db, username, password, error):
    get_user_model().objects.create_user("taken")
    _, key = invite(actor=HUB)
    with pytest.raises(error):
        accept_invitation(key=key, username=username, password=password)
    assert accept_invitation(key=key, username="ada", password=PASSWORD)


def test_it_ends_after_the_days_that_the_setting_says(db, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"invitation_days": 2})
    invitation, key = invite(actor=HUB)
    assert invitation.expires_at - invitation.created_at == timedelta(days=2)
    now = timezone.now()
    Invitation.objects.update(created_at=now - timedelta(days=3), expires_at=now - timedelta(days=1))
    with pytest.raises(Spent, match="expired"):
        accept_invitation(key=key, username="ada", password=PASSWORD)


def test_a_revoked_one_opens_nothing_and_revoking_twice_is_quiet(db):
    invitation, key = invite(actor=HUB)
    for _ in range(2):
        revoke_invitation(invitation=invitation, actor=HUB)
    assert Event.objects.filter(kind="invitation.revoked").count() == 1
    with pytest.raises(Spent, match="revoked"):
        open_invitation(key)


@pytest.mark.parametrize("key", ["", "none", "ä", "x" * 5000, "a\0b"])
def test_an_unknown_key_opens_nothing(db, key):
    with pytest.raises(NotFound):
        open_invitation(key)


@pytest.mark.parametrize("wrong", [{"email": "none"}, {"username": "a b"}])
def test_what_cannot_be_is_refused(db, wrong):
    with pytest.raises(BadInput):
        invite(actor=HUB, **wrong)
