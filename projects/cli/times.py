"""Times as people type and read them: 10m, 2h, 2026-01-31T12:00; 3 min ago; 1.5GiB."""

import re
from datetime import datetime, timedelta
from typing import Annotated

import typer
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
TailOption = Annotated[str, typer.Option("--tail", "-n", metavar="LINES", help="So many last ones, or all.")]
SinceOption = Annotated[str, typer.Option(metavar="TIME", help="No older ones: 10m, 2h, 3d or a time.", show_default=False)]
_SPAN = re.compile(r"(?:\d{1,7}[smhdw])+")
_PART = re.compile(r"(\d+)([smhdw])")


def moment(text: str) -> datetime:
    """What `--since` names: a span before now (90s, 10m, 2h30m, 3d) or a time, in this zone unless it says another.

    Raises BadParameter.
    """
    try:
        if _SPAN.fullmatch(text):
            return timezone.now() - timedelta(**{UNITS[unit]: int(count) for count, unit in _PART.findall(text)})
        found = parse_datetime(text)
        day = parse_date(text) if found is None else None
    except (ValueError, OverflowError):
        found = day = None
    if found is None and day is not None:
        found = datetime(day.year, day.month, day.day)
    if found is None:
        raise typer.BadParameter(f"{text[:40]!r} is no time; write 10m, 2h, 3d or 2026-01-31T12:00:00Z")
    return found.astimezone() if found.tzinfo is None else found


def line_count(text: str) -> int | None:
    """What `--tail` names: a number of lines, or all (None). Raises BadParameter."""
    if text == "all":
        return None
    if not text.isdecimal() or len(text) > 9:
        raise typer.BadParameter(f"{text[:40]!r} is no number of lines; write 0, 100 or all")
    return int(text)


def span(then: datetime | None) -> str:
    """How long since, in its largest unit; - where there is no such time."""
    if then is None:
        return "-"
    seconds = max(0, int((timezone.now() - then).total_seconds()))
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def clock(then: datetime) -> str:
    """In this machine's zone, as `ls -l --time-style=long-iso` with seconds."""
    return f"{timezone.localtime(then, timezone.get_default_timezone()):%Y-%m-%d %H:%M:%S}"


def size(count: float | None) -> str:
    """Bytes in the units of the docker CLI; - where it is not known."""
    if count is None:
        return "-"
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.3g}{unit}" if unit != "B" else f"{count:.0f}B"
        count /= 1024
    return f"{count:.4g}GiB"
