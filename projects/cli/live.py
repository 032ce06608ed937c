"""A table that is drawn anew until Ctrl-C, on the real terminal, which is itself again afterwards."""

import sys
import time
from collections.abc import Callable
from typing import NoReturn

import typer
from rich.console import Console, RenderableType
from rich.live import Live

from projects.cli.signals import Signalled, Signals

SECONDS = 2.0


def on_terminal() -> bool:
    return sys.stdout.isatty()


def redraw(draw: Callable[[], RenderableType], *, seconds: float = SECONDS) -> NoReturn:
    """Show what `draw` answers, again every so many seconds. Ctrl-C ends it, with status 130; what `draw` raises passes."""
    console = Console(file=sys.stdout, highlight=False)
    with Signals() as signals:
        first = draw()  # before the cursor is hidden, so that a refusal is one plain line
        with Live(
            first, console=console, auto_refresh=False, vertical_overflow="crop", redirect_stdout=False, redirect_stderr=False
        ) as live:
            try:
                with signals.raising():
                    live.refresh()
                    while True:
                        time.sleep(seconds)
                        live.update(draw(), refresh=True)
            except Signalled as signalled:
                status = signalled.status
    raise typer.Exit(status)
