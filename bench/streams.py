"""How fast much output comes: a command over the socket beside `docker exec`, and a terminal's beside terminado."""

import asyncio
import json
import statistics
import subprocess
import time

import docker

from bench.figures import Figure, tell
from bench.served import Served
from bench.terminals import Pipe, hub_commands, hub_terminal, raw_exec, terminado

COMMAND_MB = 200
TERMINAL_MB = 20
AIM_TIMES = 2.0
COMMAND = f"head -c {COMMAND_MB * 1024**2} /dev/zero"
SECONDS = 300


async def command_rate(hub: Served, rounds: int) -> Figure:
    """Both in turns."""
    slug = hub.slugs[0]
    over_socket, by_cli = [], []
    before = hub.rss_mb()
    for _ in range(rounds):
        over_socket.append(await _over_socket(hub, slug))
        by_cli.append(await asyncio.to_thread(_by_cli, hub.container(slug)))
    grown = hub.rss_mb() - before
    socket, cli = statistics.median(over_socket), statistics.median(by_cli)
    tell(f"{COMMAND_MB} MB: socket {socket:.2f} s, docker exec {cli:.2f} s, web process {grown:+.0f} MB")
    return Figure(
        f"{COMMAND_MB} MB of a command, over the socket",
        f"{socket:.2f} s ({COMMAND_MB / socket:.0f} MB/s)",
        f"docker exec {cli:.2f} s; {socket / cli:.2f} times as long; web process {grown:+.0f} MB",
        f"at most {AIM_TIMES:g} times",
        socket <= AIM_TIMES * cli,
    )


async def _over_socket(hub: Served, slug: str) -> float:
    async with hub_commands(hub.port, hub.key, slug) as line:
        began = time.perf_counter()
        await line.send(json.dumps({"type": "run", "command": COMMAND}))
        seen, end = 0, None
        async with asyncio.timeout(SECONDS):
            while end is None:
                message = await line.recv()
                if isinstance(message, bytes):
                    seen += len(message) - 1
                elif json.loads(message)["type"] in ("exit", "error"):
                    end = json.loads(message)
        if seen != COMMAND_MB * 1024**2 or end.get("exit_code") != 0:
            raise AssertionError(f"{seen} bytes of {COMMAND_MB} MB came over the socket, and then {end}.")
        return time.perf_counter() - began


def _by_cli(container: str) -> float:
    began = time.perf_counter()
    with subprocess.Popen(["docker", "exec", "--user=claude", container, "bash", "-c", COMMAND], stdout=subprocess.PIPE) as cli:
        assert cli.stdout is not None
        seen = 0
        while data := cli.stdout.read(65536):
            seen += len(data)
    if seen != COMMAND_MB * 1024**2:
        raise AssertionError(f"docker exec gave {seen} bytes.")
    return time.perf_counter() - began


async def terminal_rates(hub: Served, client: docker.APIClient) -> list[Figure]:
    """A program that prints much: until its end is seen, in tmux and in plain shells. In tmux only what can be seen is sent."""
    slug = hub.slugs[0]
    rates = {}
    async with hub_terminal(hub.port, hub.key, slug, "rate") as pipe:
        rates["tmux"] = await _print(pipe)
    hub.inside(slug, "tmux", "-L", "hub", "kill-server")
    async with hub_terminal(hub.port, hub.key, slug, "rate") as pipe:
        rates["plain"] = await _print(pipe)
    async with raw_exec(client, hub.container(slug), "bash", "-l") as raw:
        rates["raw exec"] = await _print(raw)
    for where in ("local", "exec"):
        async with terminado(hub.terminado_port, where) as other:
            rates[f"terminado, {where}"] = await _print(other)
    tell(f"terminal output: {', '.join(f'{name} {rate:.1f} MB/s' for name, rate in rates.items())}")
    others = ", ".join(f"{name} {rates[name]:.1f}" for name in ("raw exec", "terminado, local", "terminado, exec"))
    met = rates["plain"] >= rates["terminado, exec"]
    return [
        Figure("terminal output, plain shell", f"{rates['plain']:.1f} MB/s", f"MB/s: {others}", "as fast as terminado", met),
        Figure("terminal output, tmux, until the program ends", f"{rates['tmux']:.1f} MB/s", "only what can be seen is sent"),
    ]


async def _print(pipe: Pipe) -> float:
    """MB a second."""
    await pipe.send(f"base64 /dev/zero | head -c {TERMINAL_MB * 1024**2}; echo end-$((20+3))-seen\r".encode())
    began, tail = None, b""
    async with asyncio.timeout(SECONDS):
        while b"end-23-seen" not in tail:
            data = await pipe.read()
            if began is None and b"AAAAAAAA" in data:
                began = time.perf_counter()
            tail = (tail + data)[-8192:]
    return TERMINAL_MB / (time.perf_counter() - (began or 0.0))
