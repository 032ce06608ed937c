"""One sweep at a time, and not two for one delivery: a row with an expiry. A killed holder is waited for no longer than that."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from projects.models import Lease

HELD_SECONDS = 100
"""With the next tick a minute later at most, a sweep that was killed is made up for within the promised 3 minutes."""
SPACING_SECONDS = 20
"""The tick comes each 30 to 60 s; a second delivery of the same one comes sooner."""


class LeaseLost(Exception):
    """Another holder took over, since this one was held up for longer than the lease."""


@dataclass
class Held:
    """`memory` is what the holder before left; what stands in it at the end is left for the next."""

    name: str
    holder: str
    memory: dict[str, Any] = field(default_factory=dict)

    def confirm(self) -> None:
        """Raises LeaseLost."""
        if not Lease.objects.filter(name=self.name, holder=self.holder).exists():
            raise LeaseLost(self.name)


@contextmanager
def taken(name: str, now: datetime, *, spacing_seconds: float = SPACING_SECONDS) -> Iterator[Held | None]:
    """The lease, or None while another holds it or has just had it."""
    holder = secrets.token_hex(16)
    Lease.objects.get_or_create(name=name, defaults={"expires_at": now})
    rows = Lease.objects.filter(name=name)
    # One that ends later than any holder may ask for was taken by a clock that has been set back since.
    free = Q(expires_at__lte=now) | Q(expires_at__gt=now + timedelta(seconds=HELD_SECONDS))
    if not rows.filter(free).update(holder=holder, expires_at=now + timedelta(seconds=HELD_SECONDS)):
        yield None
        return
    held = Held(name, holder, rows.get().memory)
    try:
        yield held
    finally:
        rows.filter(holder=holder).update(expires_at=now + timedelta(seconds=spacing_seconds), memory=held.memory, holder="")
