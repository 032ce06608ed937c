"""Many terminals that print at once over real sockets: nothing of it may be lost, whoever runs beside it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from bench.lines import A_SECOND, END, expected, first_line, missing
from bench.terminals import HubPipe, Pipe

AT_ONCE = 8
SLACK_SECONDS = 180
"""How much longer than it takes a busy machine may need."""

T = TypeVar("T")


class Printer:
    """One terminal, read all the time; `output` is all that came over its socket."""

    def __init__(self, name: str, pipe: Pipe) -> None:
        self.name = name
        self._pipe = pipe
        self._parts: list[bytes] = []
        self._begun, self._ended = asyncio.Event(), asyncio.Event()

    @property
    def output(self) -> bytes:
        return b"".join(self._parts)

    async def follow(self) -> None:
        """Until it is cancelled."""
        begin, end, tail = first_line(self.name), self.name.encode() + END, b""
        while True:
            data = await self._pipe.read()
            self._parts.append(data)
            tail = (tail + data)[-8192:]
            if begin in tail:
                self._begun.set()
            if end in tail:
                self._ended.set()

    async def print_lines(self, count: int) -> None:
        await self._pipe.send(f"python3 /workspace/lines.py {self.name} {count}\r".encode())
        async with asyncio.timeout(count / A_SECOND + SLACK_SECONDS):
            await self._ended.wait()

    async def begun(self) -> None:
        """Until the first line is there. Raises TimeoutError."""
        async with asyncio.timeout(SLACK_SECONDS):
            await self._begun.wait()

    @property
    def is_done(self) -> bool:
        return self._ended.is_set()


async def print_all(printers: Sequence[Printer], count: int) -> None:
    """All at once. Raises AssertionError when one of them never came to its end."""
    try:
        await asyncio.gather(*(printer.print_lines(count) for printer in printers))
    except TimeoutError as error:
        late = [printer.name for printer in printers if not printer.is_done]
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
async def opened(opening: Mapping[str, contextlib.AbstractAsyncContextManager[HubPipe]]) -> AsyncIterator[list[Printer]]:
    """All of them by name, eight at a time as people come. Raises what broke one of them, at the end."""
    async with contextlib.AsyncExitStack() as stack:
        printers: list[Printer] = []
        following: list[asyncio.Task[None]] = []
        for some in batched(opening.items(), AT_ONCE):
            pipes = await asyncio.gather(*(stack.enter_async_context(one) for _, one in some))
            made = [Printer(name, pipe) for (name, _), pipe in zip(some, pipes, strict=True)]
            following += [asyncio.create_task(printer.follow()) for printer in made]
            printers += made
        try:
            yield printers
        finally:
            for task in following:
                task.cancel()
            for ended in await asyncio.gather(*following, return_exceptions=True):
                if isinstance(ended, Exception):
                    raise ended


def batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    waiting = list(items)
    for at in range(0, len(waiting), size):
        yield waiting[at : at + size]
