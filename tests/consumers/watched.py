"""The hub's application for a web process that tells how many asyncio tasks it has: `uvicorn tests.consumers.watched:application`."""

import asyncio
import json
from typing import Any

from containerhub.asgi import application as hub
from tests.consumers.served import TASKS_PATH


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] != "http" or scope["path"] != TASKS_PATH:
        await hub(scope, receive, send)
        return
    names = sorted(repr(task.get_coro()) for task in asyncio.all_tasks())
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(names).encode()})
