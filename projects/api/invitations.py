"""Invitations, for administrators."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Status

from projects.access import demand_administrator
from projects.api.auth import actor, caller
from projects.api.pagination import LARGEST_ID, Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import InvitationIn, InvitationList, InvitationMade
from projects.models import Invitation, Project
from projects.services import invitations
from projects.services.errors import BadInput, NotFound

router = Router(tags=["invitations"])


@router.get("/invitations", response=answers(InvitationList), summary="Invitations, newest first")
def list_invitations(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Administrators. Ended ones too; their links are shown nowhere."""
    demand_administrator(caller(request))
    items, following = page_of_rows(invitations.list_invitations(), key="id", limit=limit, cursor=cursor, descending=True)
    return {"items": [_shown(item) for item in items], "next": following}


@router.post("/invitations", response=answers(InvitationMade, 409, status=201), summary="Invite somebody")
def invite(request: HttpRequest, payload: InvitationIn) -> Status[dict[str, Any]]:
    """Administrators. Send the link yourself: it is in this answer only, and whoever has it first makes the account."""
    demand_administrator(caller(request))
    invitation, key = invitations.invite(
        actor=actor(request),
        username=payload.username,
        email=payload.email,
        administrator=payload.is_administrator,
        staff=payload.is_staff,
        may_create_projects=payload.may_create_projects,
        roles={_project(one.project): one.role for one in payload.roles},
    )
    return Status(201, {**_shown(invitation), "link": invitations.link_of(key)})


@router.delete("/invitations/{invitation_id}", response=answers(None, status=204), summary="Revoke an invitation")
def revoke_invitation(request: HttpRequest, invitation_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> Status[None]:
    """Administrators. Quiet when it has ended already."""
    demand_administrator(caller(request))
    row = Invitation.objects.filter(pk=invitation_id).first()
    if row is None:
        raise NotFound("There is no such invitation; look at GET /api/invitations.")
    invitations.revoke_invitation(invitation=row, actor=actor(request))
    return Status(204, None)


def _project(slug: str) -> Project:
    project = Project.objects.filter(slug=slug).first() if "\0" not in slug else None
    if project is None:
        raise BadInput("One of the roles names a project that there is not; look at GET /api/projects.")
    return project


def _shown(row: Invitation) -> dict[str, Any]:
    return {
        "id": row.pk,
        "state": row.state,
        "username": row.username,
        "email": row.email,
        "is_administrator": row.is_administrator,
        "is_staff": row.is_staff,
        "may_create_projects": row.may_create_projects,
        "roles": [{"project": one.project.slug, "role": one.role} for one in row.roles.all()],
        "invited_by": row.invited_by_name,
        "accepted_by": row.accepted_by.username if row.accepted_by else None,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
    }
