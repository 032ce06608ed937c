"""Accounts, for administrators; and who the caller is."""

from typing import Annotated, Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja import Path, Router, Status

from projects.access import demand_administrator
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import MeOut, UserIn, UserList, UserOut, UserPatch
from projects.models import Membership
from projects.services import people

router = Router(tags=["users"])
Named = Annotated[str, Path(max_length=150)]


@router.get("/me", response=answers(MeOut), summary="Who you are, and your roles")
def show_me(request: HttpRequest) -> dict[str, Any]:
    user = caller(request)
    rows = Membership.objects.filter(user=user).select_related("project").order_by("project__slug")
    return {**_shown(user), "roles": [{"project": row.project.slug, "role": row.role} for row in rows]}


@router.get("/users", response=answers(UserList), summary="Every account, by name")
def list_users(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Administrators."""
    demand_administrator(caller(request))
    items, following = page_of_rows(people.list_users(), key="username", limit=limit, cursor=cursor)
    return {"items": [_row(item) for item in items], "next": following}


@router.post("/users", response=answers(UserOut, 409, status=201), summary="Make an account")
def make_user(request: HttpRequest, payload: UserIn) -> Status[dict[str, Any]]:
    """Administrators. An invitation is the better way: then nobody but its owner ever knows the password."""
    demand_administrator(caller(request))
    user = people.create_user(
        actor=actor(request),
        username=payload.username,
        password=payload.password,
        email=payload.email,
        administrator=payload.is_administrator,
        staff=payload.is_staff,
        may_create_projects=payload.may_create_projects,
    )
    return Status(201, _shown(user))


@router.patch("/users/{username}", response=answers(UserOut), summary="Change what an account may, or switch it off")
def change_user(request: HttpRequest, username: Named, payload: UserPatch) -> dict[str, Any]:
    """Administrators. The last active administrator stays one. All of it is done, or nothing."""
    demand_administrator(caller(request))
    user, given = people.find_user(username), payload.given()
    people.change_user(
        user=user,
        actor=actor(request),
        active=given.get("is_active"),
        administrator=given.get("is_administrator"),
        staff=given.get("is_staff"),
        may_create_projects=given.get("may_create_projects"),
    )
    return _shown(user)


@router.delete("/users/{username}/second-factor", response=answers(None, status=204), summary="Remove the second factor of somebody")
def remove_second_factor(request: HttpRequest, username: Named) -> Status[None]:
    """Administrators, for who lost it. His sessions end. Quiet when there is none."""
    demand_administrator(caller(request))
    people.remove_second_factor(user=people.find_user(username), actor=actor(request))
    return Status(204, None)


@router.delete("/users/{username}/sessions", response=answers(None, status=204), summary="Sign somebody out everywhere")
def end_sessions(request: HttpRequest, username: Named) -> Status[None]:
    """Administrators. API tokens stay."""
    demand_administrator(caller(request))
    people.end_sessions(user=people.find_user(username), actor=actor(request))
    return Status(204, None)


def _shown(user: User) -> dict[str, Any]:
    return _row(people.list_users().get(pk=user.pk))


def _row(user: Any) -> dict[str, Any]:
    """`user` of `list_users`."""
    return {
        "username": user.username,
        "email": user.email,
        "is_active": user.is_active,
        "is_administrator": user.is_superuser,
        "is_staff": user.is_staff,
        "may_create_projects": user.creates_projects,
        "second_factor": user.second_factor,
        "created_at": user.date_joined,
        "last_login_at": user.last_login,
    }
