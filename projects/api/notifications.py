"""Who is told of what happens, by mail or webhook, and how each telling went."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from projects.access import Permission, channel_for, demand_administrator, project_for
from projects.api.auth import actor, caller
from projects.api.pagination import LARGEST_ID, Cursor, Limit, page_of_newest, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import ChannelIn, ChannelList, ChannelMade, DeliveryList, DeliveryOut
from projects.models import Delivery
from projects.services.notifications import list_channels as find_channels
from projects.services.notifications import make_channel as make
from projects.services.notifications import remove_channel as remove
from projects.services.notifications import try_channel
from projects.services.notifications.facts import channel_facts, delivery_facts

router = Router(tags=["notifications"])
ChannelId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.get("/notifications/channels", response=answers(ChannelList), summary="The notification channels that you may change")
def list_channels(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Those of the projects that you own; administrators see all, the hub's own too."""
    items, following = page_of_rows(find_channels(caller(request)), key="id", limit=limit, cursor=cursor)
    return {"items": [channel_facts(item) for item in items], "next": following}


@router.post("/notifications/channels", response=answers(ChannelMade, status=201), summary="Make a notification channel")
def make_channel(request: HttpRequest, payload: ChannelIn) -> Status[dict[str, Any]]:
    """Owners, of their projects; administrators also the hub's. Only an administrator's webhook may lead into the hub's own network."""
    if payload.project is None:
        demand_administrator(caller(request))
    project = None if payload.project is None else project_for(caller(request), payload.project, Permission.CONFIGURE)
    what = {"name": payload.name, "kind": payload.kind, "target": payload.target, "wants": payload.wants}
    channel, secret = make(project=project, actor=actor(request), **what)  # type: ignore[arg-type]
    return Status(201, {**channel_facts(channel), "secret": secret or None})


@router.delete("/notifications/channels/{channel_id}", response=answers(None, status=204), summary="Remove a notification channel")
def remove_channel(request: HttpRequest, channel_id: ChannelId) -> Status[None]:
    """With its deliveries; what waits is not sent any more."""
    remove(channel=channel_for(caller(request), channel_id), actor=actor(request))
    return Status(204, None)


@router.delete("/notifications/channels", response=answers(None, status=204), summary="Remove a notification channel, named in the query")
def remove_channel_by_query(request: HttpRequest, id: Annotated[int, Query(ge=1, le=LARGEST_ID)]) -> Status[None]:  # noqa: A002
    """The same as with the id in the path."""
    return remove_channel(request, id)


@router.post("/notifications/channels/{channel_id}/test", response=answers(DeliveryOut, 409), summary="Send a test to a channel")
def test_channel(request: HttpRequest, channel_id: ChannelId) -> dict[str, Any]:
    """Once, now; the answer says how it went. 409 within 10 seconds of the last one."""
    return delivery_facts(try_channel(channel=channel_for(caller(request), channel_id), actor=actor(request)))


@router.get("/notifications/deliveries", response=answers(DeliveryList), summary="What was sent or waits, newest first")
def list_deliveries(
    request: HttpRequest,
    channel: Annotated[int | None, Query(ge=1, le=LARGEST_ID, description="Of that one only.")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    """Of the channels that you may change, for 30 days."""
    rows = Delivery.objects.filter(channel__in=find_channels(caller(request)))
    if channel is not None:
        rows = rows.filter(channel=channel_for(caller(request), channel))
    items, following = page_of_newest(rows, at="created_at", limit=limit, cursor=cursor)
    return {"items": [delivery_facts(item) for item in items], "next": following}
