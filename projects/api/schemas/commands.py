"""Commands and their output."""

from datetime import datetime
from uuid import UUID

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request
from projects.states import RunState

SECONDS_LIMIT = 7 * 24 * 3600


class CommandIn(Request):
    command: str = Field(min_length=1, max_length=100_000, description="For bash -c, as claude.", examples=["git status --short"])
    workdir: str = Field("/workspace", min_length=1, max_length=1000)
    timeout: int | None = Field(None, ge=1, le=SECONDS_LIMIT, description="Seconds; null: the hub's default.")
    wait: bool = Field(True, description="false: answer 202 with the id at once.")


class CommandResult(Schema):
    id: UUID
    exit_code: int | None = Field(description="null where it is not known to be true.")
    stdout: str = Field(description="UTF-8; bytes that are none are replaced. Raw bytes: GET /api/commands/{id}/output")
    stderr: str
    timed_out: bool
    truncated: bool = Field(description="Only the end of the output is here.")
    duration_seconds: float
    state: RunState
    message: str


class CommandStarted(Schema):
    id: UUID


class CommandOut(Schema):
    id: UUID
    project: str
    command: str
    workdir: str
    purpose: str
    timeout_seconds: int
    state: RunState
    exit_code: int | None
    timed_out: bool
    killed: bool
    message: str
    output_bytes: int
    actor: str
    started_at: datetime
    finished_at: datetime | None
    duration_seconds: float | None


class CommandList(Schema):
    items: list[CommandOut]
    next: str | None
