"""The console under measure: echo beside a raw exec and terminado, much output, and a hundred terminals at once."""

import asyncio
import contextlib
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from bench import streams
from bench.echo import echoes
from bench.figures import Figure, ms, percentile, tell
from bench.flood import demand_exact, demand_in_history, opened, print_all, redrawn
from bench.lines import A_SECOND
from bench.served import Served, served
from bench.terminals import HubPipe, Pipe, hub_terminal, raw_exec, terminado

PROJECTS = 5
AIM_MS = 5.0
TMUX = ("tmux", "-L", "hub", "new-session", "-A", "-s", "raw")


def run(directory: Path, *, quick: bool) -> list[Figure]:
    """Raises AssertionError when a byte is lost."""
    with served(directory, PROJECTS) as hub:
        return asyncio.run(Consoles(hub, terminals=20 if quick else 100, keys=90 if quick else 300, seconds=20 if quick else 45).all())


class Consoles:
    def __init__(self, hub: Served, *, terminals: int, keys: int, seconds: int) -> None:
        self.hub = hub
        self.terminals, self.keys, self.count = terminals, keys, seconds * A_SECOND
        self.client = docker.APIClient(version="auto", timeout=300)

    async def all(self) -> list[Figure]:
        figures = await self.alone()
        figures += await self.together()
        figures.append(await streams.command_rate(self.hub, 5))
        figures += await streams.terminal_rates(self.hub, self.client)
        return [*figures, await self.plain()]

    # -- a key and its echo

    async def alone(self) -> list[Figure]:
        """With one terminal open, and by each other way."""
        slug, name = self.hub.slugs[0], self.hub.container(self.hub.slugs[0])
        async with (
            hub_terminal(self.hub.port, self.hub.key, slug, "echo") as socket,
            raw_exec(self.client, name, "bash", "-l") as raw,
            raw_exec(self.client, name, *TMUX) as raw_tmux,
            terminado(self.hub.terminado_port, "local") as local,
            terminado(self.hub.terminado_port, "exec") as in_container,
        ):
            pipes: dict[str, Pipe] = {"socket": socket, "raw exec": raw, "raw exec, tmux": raw_tmux}
            pipes |= {"terminado, local": local, "terminado, exec": in_container}
            return [_echo("1 terminal open", await echoes(pipes, self.keys))]

    async def _beside(self, what: str) -> Figure:
        slug, name = self.hub.slugs[0], self.hub.container(self.hub.slugs[0])
        async with (
            hub_terminal(self.hub.port, self.hub.key, slug, "echo") as socket,
            raw_exec(self.client, name, "bash", "-l") as raw,
            raw_exec(self.client, name, *TMUX) as raw_tmux,
        ):
            return _echo(what, await echoes({"socket": socket, "raw exec": raw, "raw exec, tmux": raw_tmux}, self.keys))

    # -- a hundred of them

    async def together(self) -> list[Figure]:
        """In tmux: the echo while all are open, then all of them printing, and the echo meanwhile."""
        tell(f"{self.terminals} terminals")
        async with opened(self._terminals()) as printers:
            figures = [await self._beside(f"{self.terminals} terminals open")]
            printing = asyncio.create_task(print_all(printers, self.count))
            await asyncio.gather(*(printer.begun() for printer in printers))  # a hundred programs that start are another load
            figures.append(await self._beside(f"{self.terminals} terminals printing {A_SECOND} lines a second"))
            if printing.done():
                raise AssertionError("The terminals had printed all before the last key was typed; give them more to print.")
            await printing
            undrawn = redrawn(printers, self.count)
            for name, numbers in undrawn.items():
                demand_in_history(name, numbers, self.count, await asyncio.to_thread(self._history, int(name)))
        lines = self.terminals * self.count
        skipped = sum(map(len, undrawn.values()))
        told = f"{lines} lines, none lost"
        beside = f"{skipped} of them were off the screen before tmux drew it, and stand in its history"
        tell(f"{told}; {beside}")
        return [*figures, Figure(f"{self.terminals} terminals, {A_SECOND} lines a second", told, beside, "no byte lost", True)]

    async def plain(self) -> Figure:
        """The same in plain shells, whose every byte goes over the socket."""
        for slug in self.hub.slugs:
            self.hub.inside(slug, "tmux", "-L", "hub", "kill-server")
        async with opened(self._terminals()) as printers:
            await print_all(printers, self.count)
        sent = demand_exact(printers, self.count)
        tell(f"{self.terminals} plain shells: {sent} bytes, each as it was printed")
        return Figure(f"{self.terminals} plain shells, {A_SECOND} lines a second", f"{sent} bytes, exact", aim="no byte lost", met=True)

    def _terminals(self) -> dict[str, contextlib.AbstractAsyncContextManager[HubPipe]]:
        how = (self.hub.port, self.hub.key)
        return {f"{number:03d}": hub_terminal(*how, self._slug(number), f"many-{number:03d}") for number in range(self.terminals)}

    def _slug(self, number: int) -> str:
        return self.hub.slugs[number % PROJECTS]

    def _history(self, number: int) -> bytes:
        return self.hub.inside(self._slug(number), "tmux", "-L", "hub", "capture-pane", "-p", "-S", "-", "-t", f"=many-{number:03d}:")


def _echo(what: str, found: Mapping[str, Sequence[float]]) -> Figure:
    """What the hub adds to a raw exec at the 95th percentile."""
    parts = {name: f"{ms(statistics.median(values))} / {ms(percentile(values, 95))}" for name, values in found.items()}
    added = 1000 * (percentile(found["socket"], 95) - percentile(found["raw exec"], 95))
    tell(f"echo p50 / p95, {what}: {', '.join(f'{name} {part}' for name, part in parts.items())}")
    beside = ", ".join(f"{name} {part}" for name, part in parts.items() if name != "socket")
    return Figure(
        f"echo p50 / p95, {what}", f"{parts['socket']}; {added:+.1f} ms at p95", beside, f"under {AIM_MS:g} ms added", added < AIM_MS
    )
