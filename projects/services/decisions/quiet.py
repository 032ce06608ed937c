"""Quiet hours: when nobody works, in UTC; they may go over midnight."""

import re
from datetime import datetime, time, timedelta

QUIET_PATTERN = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]-(?:[01][0-9]|2[0-3]):[0-5][0-9]"

Hours = tuple[time, time]


def parse(text: str) -> Hours | None:
    """Of "22:00-06:00"; None of "". Raises ValueError."""
    if not text:
        return None
    if not re.fullmatch(QUIET_PATTERN, text):
        raise ValueError("must be two times as 22:00-06:00")
    begin, end = (time.fromisoformat(part) for part in text.split("-"))
    if begin == end:
        raise ValueError("must begin and end at different times")
    return begin, end


def opens_at(hours: Hours | None, now: datetime) -> datetime | None:
    """When they next begin; None where they are now, or where there are none."""
    if hours is None:
        return None
    begin, end = hours
    at = now.time()
    inside = begin <= at < end if begin < end else at >= begin or at < end
    if inside:
        return None
    opens = datetime.combine(now.date(), begin, now.tzinfo)
    return opens if opens > now else opens + timedelta(days=1)
