"""A delivery as the doors tell of it."""

from typing import Any

from projects.models import Delivery


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
