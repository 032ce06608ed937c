"""What the web process does once, before it serves."""

import gc
import sys
from typing import Any

from projects.services.leftovers import settle_in_background

SWITCH_SECONDS = 0.001
"""How long a thread keeps the interpreter from the event loop at a time. By Python's own 5 ms, each read and each write of a
terminal may wait that long while another thread makes a page, so that one round of many terminals waits for tens of them."""


async def lifespan(_scope: dict[str, Any], receive: Any, send: Any) -> None:
    """The ASGI lifespan: a web process that was killed left terminals attached and runs without an end."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            sys.setswitchinterval(SWITCH_SECONDS)
            gc.freeze()  # what is there for good is not walked through at each full collection
            settle_in_background()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
