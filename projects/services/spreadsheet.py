"""Rows as CSV, line by line, which a spreadsheet may open without running anything."""

import csv
from collections.abc import Iterable, Iterator, Sequence

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    """A file that gives back what is written."""

    def write(self, text: str) -> str:
        return text


def guarded(value: object) -> str:
    """A cell that a spreadsheet would take for a formula begins with a quote."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(columns)
    for row in rows:
        yield writer.writerow([guarded(cell) for cell in row])
