"""The one module that decides: every user against every permission."""

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.auth.models import Permission as DjangoPermission

from projects import access
from projects.access import AccessDenied, Permission, Stranger
from projects.models import Event, Project
from projects.states import Role
from tests.cast import EVERYBODY, cast, pages

__all__ = ["cast", "pages"]

MAY = {
    "administrator": {Permission.VIEW, Permission.OPERATE, Permission.CONFIGURE, Permission.ADMINISTER},
    "owner": {Permission.VIEW, Permission.OPERATE, Permission.CONFIGURE},
    "operator": {Permission.VIEW, Permission.OPERATE},
    "viewer": {Permission.VIEW},
    "stranger": set(),
    "nobody": set(),
}


def user(cast, name):
    return AnonymousUser() if name == "nobody" else cast.users[name]


@pytest.mark.parametrize("name", EVERYBODY)
@pytest.mark.parametrize("permission", Permission)
def test_each_may_what_the_role_says(cast, name, permission):
    allowed = permission in MAY[name]
    assert access.may(user(cast, name), permission, cast.project) is allowed
    if allowed:
        assert access.project_for(user(cast, name), "web", permission) == cast.project
        return
    with pytest.raises(AccessDenied) as refusal:
        access.project_for(user(cast, name), "web", permission)
    assert isinstance(refusal.value, Stranger) is not bool(MAY[name])


@pytest.mark.parametrize("name", EVERYBODY)
def test_an_inactive_user_may_nothing(cast, name):
    person = user(cast, name)
    person.is_active = False
    assert not any(access.may(person, permission, cast.project) for permission in Permission)
    assert not access.visible_projects(person).exists()
    assert not access.may_create_projects(person)
    assert not access.is_administrator(person)


@pytest.mark.parametrize("slug", ["other", "", "WEB", "web\n", "w\0b", "../web", "x" * 10_000])
@pytest.mark.parametrize("name", EVERYBODY)
def test_a_project_that_is_not_there_is_the_same_to_everyone(cast, name, slug):
    with pytest.raises(Stranger, match="no such project"):
        access.project_for(user(cast, name), slug)


@pytest.mark.parametrize("name", EVERYBODY)
def test_each_sees_the_projects_of_which_he_is_a_member(cast, name):
    other = Project.objects.create(slug="other", name="other", path="/other")
    seen = set(access.visible_projects(user(cast, name)))
    expected = {cast.project, other} if name == "administrator" else ({cast.project} if MAY[name] else set())
    assert seen == expected


@pytest.mark.parametrize("name", EVERYBODY)
def test_settings_are_for_owners_and_administrators(cast, name):
    assert access.configurable_projects(user(cast, name)).exists() is (name in ("administrator", "owner"))


def test_administrators_and_whom_they_allow_make_projects(cast):
    assert [name for name in EVERYBODY if access.may_create_projects(user(cast, name))] == ["administrator"]
    cast.users["stranger"].user_permissions.add(DjangoPermission.objects.get(codename="add_project"))
    fresh = type(cast.users["stranger"]).objects.get(username="stranger")
    assert access.may_create_projects(fresh)
    assert not access.visible_projects(fresh).exists()


@pytest.mark.parametrize("name", EVERYBODY)
def test_events_are_seen_by_those_who_see_the_project(cast, name):
    for slug in ("web", "other", ""):
        Event.objects.create(kind="test.done", project_slug=slug, actor_name="x", message="x")
    seen = set(access.visible_events(user(cast, name)).values_list("project_slug", flat=True))
    assert seen == ({"web", "other", ""} if name == "administrator" else ({"web"} if MAY[name] else set()))


def test_the_events_of_a_removed_project_are_not_shown_to_its_successors_members(cast):
    Event.objects.create(kind="test.old", project_slug="web", actor_name="x", message="x", at=cast.project.created_at.replace(year=2001))
    assert not access.visible_events(cast.users["owner"]).exists()


def test_the_roles_rise_from_viewer_to_owner():
    assert sorted(Role, key=lambda role: role.rank) == [Role.VIEWER, Role.OPERATOR, Role.OWNER]
