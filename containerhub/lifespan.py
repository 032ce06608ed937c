"""What the web process does once, before it serves."""

from typing import Any

from projects.services.leftovers import settle_in_background


async def lifespan(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI lifespan: a web process that was killed left terminals attached and runs without an end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            settle_in_background()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
