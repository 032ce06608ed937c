"""Accounts, invitations, and who the caller is."""

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request, not_given
from projects.states import Role

Username = Annotated[str, Field(min_length=1, max_length=150, examples=["ada"])]
Email = Annotated[str, Field(max_length=254, examples=["ada@example.com"])]


class UserIn(Request):
    username: Username
    password: str | None = Field(None, max_length=1000, description="Write-only. Without one nobody signs in to the account yet.")
    email: Email = ""
    is_administrator: bool = False
    is_staff: bool = Field(False, description="May enter the admin.")
    may_create_projects: bool = False


class UserPatch(Request):
    is_active: bool = not_given()
    is_administrator: bool = not_given()
    is_staff: bool = not_given()
    may_create_projects: bool = not_given()


class UserOut(Schema):
    username: str
    email: str
    is_active: bool
    is_administrator: bool
    is_staff: bool
    may_create_projects: bool
    second_factor: bool
    created_at: datetime
    last_login_at: datetime | None


class UserList(Schema):
    items: list[UserOut]
    next: str | None


class ProjectRole(Schema):
    project: str = Field(description="Its slug.", examples=["website"])
    role: Role


class MeOut(UserOut):
    roles: list[ProjectRole] = Field(description="An administrator may do everything in every project besides.")


class InvitedRoleIn(Request):
    project: str = Field(min_length=1, max_length=50, description="Its slug.", examples=["website"])
    role: Role = Role.VIEWER


class InvitationIn(Request):
    username: str = Field("", max_length=150, description="A proposal.", examples=["ada"])
    email: Email = ""
    is_administrator: bool = False
    is_staff: bool = Field(False, description="May enter the admin.")
    may_create_projects: bool = False
    roles: list[InvitedRoleIn] = Field([], max_length=100)


class InvitationOut(Schema):
    id: int
    state: str = Field(description="open, accepted, revoked or expired")
    username: str
    email: str
    is_administrator: bool
    is_staff: bool
    may_create_projects: bool
    roles: list[ProjectRole]
    invited_by: str
    accepted_by: str | None
    created_at: datetime
    expires_at: datetime


class InvitationMade(InvitationOut):
    link: str = Field(description="Send it to the guest. Shown this once only; it opens once.")


class InvitationList(Schema):
    items: list[InvitationOut]
    next: str | None
