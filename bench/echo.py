"""How long a key takes until it stands on the screen, by each way in turns: a slow moment of the machine strikes all."""

import asyncio
import contextlib
import time
from collections.abc import Mapping

from bench.terminals import Pipe

KEYS = b"@%+=~"
"""No escape sequence of tmux holds them."""
LINE_KEYS = 30
PAUSE_SECONDS = 0.02
KEY_SECONDS = 30
QUIET_SECONDS = 0.3


async def echoes(pipes: Mapping[str, Pipe], keys: int) -> dict[str, list[float]]:
    """Seconds of each key by way."""
    found: dict[str, list[float]] = {name: [] for name in pipes}
    for pipe in pipes.values():
        await _settle(pipe)
    for number in range(keys):
        if number % LINE_KEYS == LINE_KEYS - 1:
            for pipe in pipes.values():
                await pipe.send(b"\x15")  # an empty line again
                await quiet(pipe)
        for name, pipe in pipes.items():
            await asyncio.sleep(PAUSE_SECONDS)
            found[name].append(await _one(pipe, KEYS[number % len(KEYS)]))
    return found


async def _one(pipe: Pipe, key: int) -> float:
    began = time.perf_counter()
    async with asyncio.timeout(KEY_SECONDS):
        await pipe.send(bytes([key]))
        while key not in await pipe.read():
            pass
    return time.perf_counter() - began


async def _settle(pipe: Pipe) -> None:
    """The shell is there, and says no more."""
    async with asyncio.timeout(KEY_SECONDS):
        await pipe.send(b"echo shell-$((40+2))\r")
        seen = b""
        while b"shell-42" not in seen:
            seen += await pipe.read()
    await quiet(pipe)


async def quiet(pipe: Pipe) -> None:
    """Read until nothing comes for a moment."""
    with contextlib.suppress(TimeoutError):
        while True:
            async with asyncio.timeout(QUIET_SECONDS):
                await pipe.read()
