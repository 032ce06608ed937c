"""Containers: one, and all of them together."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request
from projects.states import Health, Status, Wanted

ContainerId = Annotated[str, Field(description="The first 12 hex digits of Docker's id.", examples=["4f1c2a9b7d3e"])]


class ContainerAnswer(Schema):
    container_id: ContainerId | None
    status: str = Field(examples=["running"])


class Gone(Schema):
    status: Literal["stopped"]


class Limits(Schema):
    cpu: float | None
    memory_mb: int | None
    pids: int | None


class MountOut(Schema):
    source: str
    target: str
    read_only: bool


class ContainerOut(Schema):
    container_id: ContainerId | None
    status: Status = Field(description="As observed at `status_at`. none: never made, or removed by us; missing: removed from outside.")
    status_at: datetime
    health: Health
    health_at: datetime
    image: str | None
    created_at: datetime | None
    started_at: datetime | None
    limits: Limits | None
    mounts: list[MountOut]
    notes: list[str] = Field(description="What was left out when it was made, and why.")
    wanted: Wanted
    pending_action: str = Field(description="What is under way: start stop restart refresh remove, or nothing.")
    busy: bool = Field(description="It is not refreshed by itself meanwhile.")
    busy_reason: str
    next_refresh_at: datetime | None
    next_refresh_reason: str
    last_error: str


class StatsOut(Schema):
    status: str
    age_hours: float
    cpu_percent: float | None
    memory_usage_mb: float
    memory_limit_mb: float | None
    memory_percent: float | None
    disk_usage_percent: float | None
    pids: int
    network_rx_mb: float
    network_tx_mb: float


class ProcessOut(Schema):
    pid: int = Field(description="As the Engine's host counts.")
    user: str = Field(description="By the host's names, or a number.")
    cpu_seconds: float
    command: str


class ProcessList(Schema):
    items: list[ProcessOut]
    next: str | None


class HealthOut(Schema):
    healthy: bool
    reason: str = Field(examples=["Healthy"])


class CountOut(Schema):
    active: int


class CleanupIn(Request):
    dry_run: bool = True


class CleanupItem(Schema):
    name: str
    container_id: str
    project: str
    status: str
    removed: bool
    error: str


class CleanupOut(Schema):
    dry_run: bool
    items: list[CleanupItem]
