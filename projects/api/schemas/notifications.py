"""Channels and deliveries. Neither a webhook's url nor its secret is ever sent again."""

from datetime import datetime
from uuid import UUID

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Name, Request
from projects.states import ChannelKind, DeliveryState, Topic


class ChannelIn(Request):
    project: str | None = Field(None, max_length=50, description="A slug; none: the hub's own (administrators).", examples=["website"])
    name: Name
    kind: ChannelKind
    target: str = Field(min_length=1, max_length=2000, description="A mail address or a url; write-only.", examples=["ops@example.com"])
    wants: list[Topic] = Field(default=[], max_length=20, description="Empty: all that it may hear of.")


class ChannelOut(Schema):
    id: int
    project: str | None
    name: str
    kind: ChannelKind
    address: str = Field(description="Of a url scheme and host only.", examples=["https://hooks.example.com/…"])
    wants: list[Topic]
    created_by: str
    created_at: datetime


class ChannelMade(ChannelOut):
    secret: str | None = Field(description="Signs what a webhook gets (Standard Webhooks). Shown this once only.")


class ChannelList(Schema):
    items: list[ChannelOut]
    next: str | None


class DeliveryOut(Schema):
    id: UUID
    channel: int
    event: int | None = Field(description="Of the audit trail; none of a test.")
    kind: str = Field(examples=["health.hold"])
    project: str
    message: str
    state: DeliveryState
    attempts: int
    response_code: int | None
    error: str
    next_at: datetime | None
    created_at: datetime
    finished_at: datetime | None


class DeliveryList(Schema):
    items: list[DeliveryOut]
    next: str | None
