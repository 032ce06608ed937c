"""Decisions and samples."""

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from projects.states import Cause, Rule, Verdict


class DecisionOut(Schema):
    id: int
    at: datetime
    last_at: datetime = Field(description="When it was last found so.")
    verdict: Verdict
    rule: Rule = Field(description="The reading that it goes by.")
    cause: Cause = Field(description="For what it waits, or why it is left to people.")
    reason: str = Field(examples=["The container is 73.2 hours old, over the limit of 72; it waits: a command is running."])
    inputs: dict[str, Any] = Field(
        description="Every reading beside its limit; null is unknown.", examples=[{"age_hours": 73.2, "age_limit_hours": 72}]
    )
    due_at: datetime | None = Field(description="When it changes by itself, if the readings stay.")
    started_at: datetime | None = Field(description="Of a restart or refresh: when it was begun.")
    finished_at: datetime | None
    done: bool | None = Field(description="Of a restart or refresh that has ended: whether it was done.")
    outcome: str


class DecisionList(Schema):
    items: list[DecisionOut]
    next: str | None


class SampleOut(Schema):
    at: datetime
    cpu_percent: float | None = Field(description="100 per core.")
    memory_mb: float = Field(description="Without the page cache.")
    memory_percent: float | None = Field(description="Of a limit of its own.")
    disk_percent: float | None = Field(description="Of the workspace's file system.")
    layer_mb: float | None = Field(description="What the container itself wrote.")
    pids: int
    network_rx_mb: float
    network_tx_mb: float


class SampleList(Schema):
    span_seconds: int = Field(description="0: single readings; else what each item is the average of, from `at` on.")
    items: list[SampleOut]
    next: str | None
