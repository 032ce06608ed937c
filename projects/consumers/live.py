"""What a page shows, as fragments: all of it at connect, then what differs. `{"content", "target", "swap"}` is htmx's own form (hx-ws)."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

from projects.access import AccessDenied, Permission
from projects.consumers.base import NO_ACCESS, Admission, Refused, Socket
from projects.consumers.tail import tail
from projects.consumers.threads import in_thread

LEAST_SECONDS = 0.5
"""Between two looks: at most two a second."""
MOST_SECONDS = 10
SWAP = "outerMorph"

Fragments = dict[str, "str | Rows"]
Render = Callable[[Any, str], Fragments]


class Rows:
    """A part of a page with rows of their own ids: only rows that differ are sent while these are the same in the same order."""

    def __init__(self, whole: str, rows: dict[str, str]) -> None:
        self.whole, self.rows = whole, rows


class LiveConsumer(Socket):
    """One per page. `render(user, page)` gives the fragments by element id; raises AccessDenied."""

    render: ClassVar[Render]

    @classmethod
    def showing(cls, render: Render) -> Any:
        showing: Any = type("LiveConsumer", (cls,), {"render": staticmethod(render)})
        return showing.as_asgi()

    async def opened(self) -> None:
        self.start(self._follow())

    async def _follow(self) -> None:
        shown: Fragments = {}
        async with tail().listening() as news:
            while True:
                began = time.monotonic()
                fresh = await in_thread(self._rendered)
                if shown and set(shown) != set(fresh):
                    await self.say("reload")  # other parts than the page was made of
                for target, html in differences(shown, fresh):
                    await self._put({"type": "websocket.send", "text": json.dumps({"content": html, "target": f"#{target}", "swap": SWAP})})
                shown = fresh
                await news.changed(MOST_SECONDS)
                await _rest(began)

    def _rendered(self) -> Fragments:
        try:
            return type(self).render(self.user, self.query.get("page", "/"))
        except AccessDenied as error:
            raise Refused(NO_ACCESS, str(error)) from error

    def _check(self, permission: Permission = Permission.VIEW) -> None:
        self._take(self._admission())

    def _admission(self) -> Admission:
        return Admission(self._signed_in())


async def _rest(began: float) -> None:
    await asyncio.sleep(max(0.0, LEAST_SECONDS - (time.monotonic() - began)))


def differences(shown: Fragments, fresh: Fragments) -> Iterator[tuple[str, str]]:
    """The id and the new content of each element to be swapped."""
    for target, part in fresh.items():
        before = shown.get(target)
        if isinstance(part, str):
            if part != before:
                yield target, part
        elif isinstance(before, Rows) and list(before.rows) == list(part.rows):
            yield from ((row, html) for row, html in part.rows.items() if html != before.rows[row])
        else:
            yield target, part.whole
