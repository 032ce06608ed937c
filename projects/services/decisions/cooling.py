"""How soon after its own refreshes the hub may refresh a container again."""

from collections.abc import Sequence
from datetime import datetime

from projects.services.decisions.values import A_DAY, COOL_DOWN, COOL_DOWN_WINDOW, LONGEST_COOL_DOWN, REFRESHES_A_DAY, Act


def cool_at(refreshes: Sequence[Act], now: datetime) -> datetime:
    """An hour after the last, twice as long for each more within the window, up to a day; and no more than three a day.

    `now` or earlier where it may be refreshed at once.
    """
    recent = [act.at for act in refreshes if now - act.at < COOL_DOWN_WINDOW]
    if not recent:
        return now
    doublings = min(len(recent) - 1, 5)
    ready_at = recent[-1] + min(COOL_DOWN * (1 << doublings), LONGEST_COOL_DOWN)
    if len(recent) >= REFRESHES_A_DAY:
        ready_at = max(ready_at, recent[-REFRESHES_A_DAY] + A_DAY)
    return ready_at
