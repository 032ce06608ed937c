"""Events, images and builds."""

from datetime import datetime
from typing import Any

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Request
from projects.states import BuildState


class EventOut(Schema):
    id: int
    at: datetime
    kind: str = Field(examples=["container.started"])
    project: str = Field(description="Its slug; empty where it is about the hub.")
    actor: str
    message: str
    details: dict[str, Any]


class EventList(Schema):
    items: list[EventOut]
    next: str | None


class ImageOut(Schema):
    image_id: str
    tags: list[str]
    created_at: datetime
    size_bytes: int
    claude: str = Field(description="uid:gid of the user claude in it; empty where unknown.", examples=["1001:1001"])
    variant_of: str = Field(description="The id of the image that it was made from; empty: of none of the hub's.")


class ImageList(Schema):
    items: list[ImageOut]
    next: str | None


class BuildIn(Request):
    no_cache: bool = False


class BuildOut(Schema):
    id: int
    tag: str
    state: BuildState
    step: int | None
    steps: int | None
    image_id: str
    message: str
    actor: str
    started_at: datetime
    finished_at: datetime | None


class BuildWithLog(BuildOut):
    log: str
    next_offset: int = Field(description="Send it as `offset` for what came after.")
