"""Who belongs to a project."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from projects.access import Permission, project_for
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import MemberIn, MemberList, MemberOut
from projects.models import Membership
from projects.services.catalog import remove_member, set_member
from projects.services.people import find_active_user

router = Router(tags=["members"])


@router.get("/projects/{slug}/members", response=answers(MemberList), summary="The members of a project, oldest first")
def list_members(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    rows = Membership.objects.filter(project=project_for(caller(request), slug)).select_related("user")
    items, following = page_of_rows(rows, key="id", limit=limit, cursor=cursor)
    return {"items": [_shown(item) for item in items], "next": following}


@router.post(
    "/projects/{slug}/members", response={201: MemberOut, **answers(MemberOut)}, summary="Make somebody a member, or change his role"
)
def put_member(request: HttpRequest, slug: str, payload: MemberIn) -> Status[dict[str, Any]]:
    """Owners. viewer: look; operator: also the container and commands; owner: also settings and members."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    member, new = set_member(project=project, user=find_active_user(payload.username), role=payload.role, actor=actor(request))
    return Status(201 if new else 200, _shown(member))


@router.delete("/projects/{slug}/members/{username}", response=answers(None, status=204), summary="Take a member out")
def delete_member(request: HttpRequest, slug: str, username: Annotated[str, Path(max_length=150)]) -> Status[None]:
    """Owners. A project's last owner stays until there is another."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    remove_member(project=project, user=find_active_user(username), actor=actor(request))
    return Status(204, None)


@router.delete("/projects/{slug}/members", response=answers(None, status=204), summary="Take a member out, named in the query")
def delete_member_by_query(request: HttpRequest, slug: str, username: Annotated[str, Query(max_length=150)]) -> Status[None]:
    """The same as with the name in the path."""
    return delete_member(request, slug, username)


def _shown(member: Membership) -> dict[str, Any]:
    return {"username": member.user.get_username(), "role": member.role, "created_at": member.created_at}
