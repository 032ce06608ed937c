"""A channel and a delivery as the doors tell of them."""

from typing import Any

from projects.models import Channel, Delivery


def channel_facts(row: Channel) -> dict[str, Any]:
    return {
        "id": row.pk,
        "project": row.project.slug if row.project else None,
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "wants": row.wants,
        "created_by": row.created_by_name,
        "created_at": row.created_at,
    }


def delivery_facts(row: Delivery) -> dict[str, Any]:
    return {
        "id": row.pk,
        "channel": row.channel_id,
        "event": row.event_id,
        "kind": row.event_kind,
        "project": row.project_slug,
        "message": row.message,
        "state": row.state,
        "attempts": row.attempts,
        "response_code": row.response_code,
        "error": row.error,
        "next_at": row.next_at,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }
