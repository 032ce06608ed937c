"""Terminals."""

from datetime import datetime

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request
from projects.models.terminal import SESSION_PATTERN


class TerminalIn(Request):
    name: str = Field(pattern=SESSION_PATTERN, max_length=32, description="Letters, digits, underscores and hyphens.", examples=["main"])


class TerminalOut(Schema):
    name: str
    created_by_name: str
    created_at: datetime
    last_input_at: datetime | None
    last_output_at: datetime | None


class TerminalList(Schema):
    items: list[TerminalOut]
    next: str | None
