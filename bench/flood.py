"""Many terminals that print at once over real sockets: nothing of it may be lost, whoever runs beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from bench.lines import A_SECOND, END, expected, missing
from bench.terminals import HubPipe, Pipe

SLACK_SECONDS = 180
"""How much longer than it takes a busy machine may need."""


@dataclass
class Printer:
    """One terminal and what it prints; `output` is all that came over its socket."""

    name: str
    pipe: Pipe
    output: bytes = b""

    async def print_lines(self, count: int) -> None:
        await self.pipe.send(f"python3 /workspace/lines.py {self.name} {count}\r".encode())
        parts, tail = [], b""
        async with asyncio.timeout(count / A_SECOND + SLACK_SECONDS):
            while self.name.encode() + END not in tail:
                parts.append(await self.pipe.read())
                tail = (tail + parts[-1])[-8192:]
        self.output = b"".join(parts)


async def print_all(printers: Sequence[Printer], count: int) -> None:
    """All at once. Raises AssertionError when one of them never came to its end."""
    try:
        await asyncio.gather(*(printer.print_lines(count) for printer in printers))
    except TimeoutError as error:
        late = [printer.name for printer in printers if not printer.output]
        raise AssertionError(f"The terminals {late} did not print all of their lines in time.") from error


def demand_exact(printers: Sequence[Printer], count: int) -> int:
    """For plain shells: every byte as it was printed; how many. Raises AssertionError."""
    total = 0
    for printer in printers:
        wanted = expected(printer.name, count)
        if wanted not in printer.output:
            lost = missing(printer.name, count, printer.output)
            raise AssertionError(f"The terminal {printer.name} is not exact: {len(lost)} of {count} lines are not there.")
        total += len(wanted)
    return total


def redrawn(printers: Sequence[Printer], count: int) -> dict[str, set[int]]:
    """For tmux: the lines that it drew nowhere, since others had pushed them off the screen before its next redraw, by terminal."""
    found = {printer.name: missing(printer.name, count, printer.output) for printer in printers}
    return {name: numbers for name, numbers in found.items() if numbers}


def demand_in_history(name: str, numbers: set[int], count: int, history: bytes) -> None:
    """What was not drawn stands in the terminal's history. Raises AssertionError."""
    if lost := numbers & missing(name, count, history):
        raise AssertionError(f"The terminal {name} lost {len(lost)} lines, from {min(lost)} on.")


@contextlib.asynccontextmanager
async def opened(opening: Sequence[contextlib.AbstractAsyncContextManager[HubPipe]]) -> AsyncIterator[list[HubPipe]]:
    """All of them, eight at a time as people come."""
    async with contextlib.AsyncExitStack() as stack:
        pipes: list[HubPipe] = []
        for at in range(0, len(opening), 8):
            pipes += await asyncio.gather(*(stack.enter_async_context(one) for one in opening[at : at + 8]))
        yield pipes
