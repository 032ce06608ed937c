"""Accounts and invitations in the admin: for administrators only, and always through the services."""

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth import get_user_model

from projects.models import Event, Invitation
from projects.services.invitations import invite
from projects.services.people import create_user, find_user, set_active, set_administrator
from projects.services.record import HUB
from projects.use_cases import REFUSED, SIGN_IN, YES, allowed
from tests.cast import EVERYBODY

USERS, INVITATIONS = "/admin/auth/user/", "/admin/projects/invitation/"
ACTIONS = [
    (USERS, "deactivate", "users"),
    (USERS, "activate", "users"),
    (USERS, "end_sessions", "users"),
    (USERS, "remove_second_factor", "users"),
    (INVITATIONS, "revoke", "invitations"),
]
STATUSES = {YES: 200, REFUSED: 403, SIGN_IN: 302}


def post(client, path: str, **fields):
    client.get(path)
    return client.post(path, {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}, follow=True)


def enter(staff, name: str):
    if name == "nobody":
        return staff.api("nobody")
    return staff.browser(name)


def told(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize(("path", "use_case"), [(USERS, "users"), (f"{USERS}add/", "users"), (INVITATIONS, "invitations")])
def test_each_page_answers_each_user_as_the_table_says(staff, path, use_case, name):
    assert enter(staff, name).get(path).status_code == STATUSES[allowed(use_case, name)]


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "nobody"])
@pytest.mark.parametrize(("path", "action", "use_case"), ACTIONS)
def test_each_action_answers_each_user_as_the_table_says(staff, path, action, use_case, name):
    invitation, _ = invite(actor=HUB)
    somebody = create_user(actor=HUB, username="somebody")
    Authenticator.objects.create(user=somebody, type="totp", data={})
    set_active(user=somebody, active=action != "activate", actor=HUB)
    chosen = invitation.pk if path == INVITATIONS else somebody.pk
    before = Event.objects.count()
    client = enter(staff, name)
    client.get("/admin/")
    token = client.cookies["csrftoken"].value
    fields = {"action": action, "_selected_action": str(chosen), "confirmed": "yes", "csrfmiddlewaretoken": token}
    answer = client.post(path, fields, follow=True)
    may = allowed(use_case, name) == YES
    assert answer.status_code == STATUSES[allowed(use_case, name)]
    assert (Event.objects.count() > before) is may


def test_an_account_is_made_through_the_service(staff):
    fields = {"username": "ada", "email": "", "may_create_projects": "on", "new_password": "correct horse battery"}
    answer = post(staff.browser("administrator"), f"{USERS}add/", **fields)
    assert answer.status_code == 200
    ada = get_user_model().objects.get(username="ada")
    assert ada.has_perm("projects.add_project")
    assert ada.check_password("correct horse battery")
    event = Event.objects.get(kind="user.created")
    assert event.actor_name == "administrator"


@pytest.mark.parametrize("fields", [{"username": "hub"}, {"username": "ada", "new_password": "12345678"}])
def test_what_the_service_refuses_is_told(staff, fields):
    answer = post(staff.browser("administrator"), f"{USERS}add/", email="", **fields)
    assert answer.status_code == 200
    assert not Event.objects.filter(kind="user.created").exists()
    assert not get_user_model().objects.filter(username=fields["username"]).exists()


def test_a_change_is_recorded_and_the_last_administrator_stays(staff):
    client, owner, last = staff.browser("administrator"), staff.users["owner"], staff.users["administrator"]
    post(
        client,
        f"{USERS}{owner.pk}/change/",
        email="o@example.com",
        is_active="on",
        is_staff="on",
        may_create_projects="on",
        new_password="",
    )
    owner = find_user("owner")
    assert (owner.email, owner.is_staff, owner.is_superuser) == ("o@example.com", True, False)
    assert owner.has_perm("projects.add_project")
    assert set(Event.objects.values_list("kind", flat=True)) == {"user.email_set", "user.project_creation_set"}
    answer = post(client, f"{USERS}{last.pk}/change/", email="", is_superuser="on", is_staff="on", new_password="")
    assert "last active administrator" in told(answer)
    assert find_user("administrator").is_active


def test_one_refusal_stops_no_other(staff):
    ids = [str(staff.users[name].pk) for name in ("administrator", "owner")]
    answer = post(staff.browser("administrator"), USERS, action="deactivate", _selected_action=ids)
    assert "last active administrator" in told(answer)
    assert "owner is deactivated" in told(answer)
    assert not find_user("owner").is_active


def test_removing_a_second_factor_asks_first(staff):
    owner = staff.users["owner"]
    Authenticator.objects.create(user=owner, type="totp", data={})
    client = staff.browser("administrator")
    page = post(client, USERS, action="remove_second_factor", _selected_action=str(owner.pk))
    assert "From then on the password alone opens them" in page.content.decode()
    assert Authenticator.objects.exists()
    post(client, USERS, action="remove_second_factor", _selected_action=str(owner.pk), confirmed="yes")
    assert not Authenticator.objects.exists()


def test_the_link_of_an_invitation_is_shown_once(staff):
    client = staff.browser("administrator")
    answer = post(client, f"{INVITATIONS}add/", username="ada", email="", in_projects=str(staff.project.pk), role="operator")
    link = next(word for word in told(answer).split() if "/accounts/invitation/" in word)
    row = Invitation.objects.get()
    assert [str(role) for role in row.roles.all()] == [f"operator of {staff.project}"]
    shown = client.get(f"{INVITATIONS}{row.pk}/change/")
    assert shown.status_code == 200
    assert link.encode() not in shown.content
    assert b"Invite somebody" in client.get(USERS).content


def test_the_pages_that_write_past_the_services_are_gone(staff):
    client = staff.browser("administrator")
    for path in ("auth/group/", "mfa/authenticator/", "account/emailaddress/"):
        assert client.get(f"/admin/{path}").status_code == 404
    assert client.get(f"{USERS}{staff.users['owner'].pk}/password/").status_code != 200


def test_a_role_taken_back_counts_at_the_next_click(staff):
    owner = staff.users["owner"]
    client = staff.browser("owner")
    set_administrator(user=owner, administrator=True, actor=HUB)
    assert client.get(USERS).status_code == 200
    set_administrator(user=owner, administrator=False, actor=HUB)
    assert client.get(USERS).status_code == 302  # out of the admin altogether
