"""Deploy keys and secrets."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request
from projects.services.project_secrets import VALUE_MOST_CHARACTERS


class DeployKeyIn(Request):
    rotate: bool = Field(default=False, description="Replace the key that there is.")


class DeployKeyOut(Schema):
    public_key: str = Field(examples=["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA… containerhub:website"])
    fingerprint: str = Field(description="As ssh-keygen -l shows it.", examples=["SHA256:Vx0…"])
    created_at: datetime


class SecretIn(Request):
    name: str = Field(min_length=1, max_length=100, description="The variable's name.", examples=["API_KEY"])
    value: str = Field(min_length=1, max_length=VALUE_MOST_CHARACTERS, description="Write-only.")


class SecretOut(Schema):
    name: str
    created_at: datetime
    updated_at: datetime


class SecretList(Schema):
    items: list[SecretOut]
    next: str | None
