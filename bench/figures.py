"""Figures that are no medians of three ways: what the hub did, what stands beside it, and whether the aim was met."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Figure:
    """`met` is None where no aim was set."""

    what: str
    hub: str
    beside: str = ""
    aim: str = ""
    met: bool | None = None


def tell(text: str) -> None:
    """What is under way or was just found, so that minutes do not pass in silence."""
    Console(stderr=True).print(text, highlight=False)


def show_figures(figures: Sequence[Figure]) -> None:
    table = Table("figure", "hub", "beside it", "aim", "met")
    for figure in figures:
        table.add_row(figure.what, figure.hub, figure.beside, figure.aim, {True: "yes", False: "NO", None: ""}[figure.met])
    Console(width=150).print(table)


def percentile(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not pass."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"
