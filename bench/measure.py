"""Medians of interleaved runs, and the table that they make."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

WAYS = ("hub", "cli", "plan")


@dataclass(frozen=True)
class Row:
    """Median seconds by way; None where a way cannot do it or was not asked."""

    what: str
    seconds: Mapping[str, float | None]
    note: str = ""

    def ratio(self, way: str) -> float | None:
        hub, other = self.seconds.get("hub"), self.seconds.get(way)
        return hub / other if hub is not None and other else None


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def compare(
    what: str,
    ways: Mapping[str, Callable[[], object]],
    *,
    rounds: int = 5,
    before: Callable[[], object] | None = None,
    note: str = "",
) -> Row:
    """Each way `rounds` times, in turns, so that a slow moment of the machine strikes all; `before` is not timed."""
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, work in ways.items():
            if before is not None:
                before()
            seconds[way].append(timed(work))
    row = Row(what, {way: statistics.median(values) for way, values in seconds.items()}, note)
    Console(stderr=True).print(f"{what}: {', '.join(f'{way} {_span(value)}' for way, value in row.seconds.items())}", highlight=False)
    return row


def show(rows: list[Row]) -> None:
    table = Table("use case", "hub", "docker CLI", "the plan's way", "hub / CLI", "plan / hub", "note")
    for row in rows:
        cells = [_span(row.seconds.get(way)) for way in WAYS]
        over_cli, over_plan = row.ratio("cli"), row.ratio("plan")
        table.add_row(
            row.what,
            *cells,
            f"{over_cli:.2f}" if over_cli else "–",
            f"{1 / over_plan:.1f}x" if over_plan else "–",
            row.note,
        )
    Console(width=150).print(table)


def _span(seconds: float | None) -> str:
    if seconds is None:
        return "–"
    return f"{seconds * 1000:.1f} ms" if seconds < 10 else f"{seconds:.1f} s"
