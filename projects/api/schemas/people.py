"""Members, tokens, and tokens for git servers."""

from datetime import datetime

from ninja import Schema
from pydantic import AwareDatetime, Field

from projects.api.schemas.base import Name, Request
from projects.states import Role


class MemberIn(Request):
    username: str = Field(min_length=1, max_length=150, examples=["ada"])
    role: Role = Role.VIEWER


class MemberOut(Schema):
    username: str
    role: Role
    created_at: datetime


class MemberList(Schema):
    items: list[MemberOut]
    next: str | None


class GitCredentialIn(Request):
    host: str = Field(min_length=1, max_length=260, examples=["github.com"])
    token: str = Field(min_length=1, max_length=10_000, description="Write-only.")
    username: str = Field("x-access-token", min_length=1, max_length=100)


class GitCredentialOut(Schema):
    host: str
    username: str
    created_at: datetime


class GitCredentialList(Schema):
    items: list[GitCredentialOut]
    next: str | None


class TokenIn(Request):
    name: Name
    expires_at: AwareDatetime | None = Field(None, examples=["2030-01-31T12:00:00Z"])


class TokenOut(Schema):
    id: int
    name: str
    start: str = Field(description="Its first characters, to tell it by.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenOut):
    key: str = Field(description="Shown this once only.")


class TokenList(Schema):
    items: list[TokenOut]
    next: str | None
