"""How much of what a page typed was taken, told to it when it comes back: nothing is typed twice, and nothing is lost.

A browser's socket may die with keys on their way, and neither end can tell how far they came. A page that names itself by
`typist` in the address keeps what the hub has not taken, and asks again on its next socket. Kept in this process's memory
alone: after a restart the hub does not know, says so, and the page throws away what may have been typed already.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

MOST = 10_000
NAME = re.compile(r"[A-Za-z0-9_-]{16,64}")


@dataclass
class Typist:
    """`taken` counts the bytes that a terminal was given; only `socket`, the page's newest, may give it more."""

    taken: int = 0
    socket: object = None


class Typists:
    """The ones seen last; the oldest are forgotten."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._known: OrderedDict[tuple[object, ...], Typist] = OrderedDict()

    def taken_over(self, key: tuple[object, ...], socket: object) -> tuple[Typist, bool]:
        """From now on `socket` types for it. Whether it was known before stands beside it."""
        known = key in self._known
        typist = self._known.setdefault(key, Typist())
        self._known.move_to_end(key)
        typist.socket = socket
        while len(self._known) > self._most:
            self._known.popitem(last=False)
        return typist, known


def checked_typist(name: str | None) -> str | None:
    """Raises ValueError."""
    if name is not None and not NAME.fullmatch(name):
        raise ValueError(name)
    return name
