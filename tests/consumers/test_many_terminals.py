"""Twenty terminals that print fifty lines a second, all at once, over the sockets as they are served."""

import asyncio

import pytest

from bench.flood import demand_exact, demand_in_history, opened, print_all, redrawn
from bench.lines import A_SECOND, END, PROGRAM
from bench.terminals import hub_terminal
from tests.support import wait_until

pytestmark = pytest.mark.live

TERMINALS = 20
LINES = 5 * A_SECOND


@pytest.fixture
def program(hub):
    (hub.box.roots / "web" / "lines.py").write_text(PROGRAM)


async def printed(hub):
    names = [f"{number:02d}" for number in range(TERMINALS)]
    async with opened({name: hub_terminal(hub.port, hub.keys["operator"], "web", f"many-{name}") for name in names}) as printers:
        await print_all(printers, LINES)
    return printers


async def test_no_line_of_a_tmux_terminal_is_lost(hub, program):
    printers = await printed(hub)
    for printer in printers:
        assert printer.name.encode() + END in printer.output
    # A busy tmux leaves out what has left the screen before it draws; that stands in the history.
    for name, numbers in redrawn(printers, LINES).items():
        history = await asyncio.to_thread(hub.run, "tmux", "-L", "hub", "capture-pane", "-p", "-S", "-", "-t", f"=many-{name}:")
        demand_in_history(name, numbers, LINES, history.encode())
    wait_until(lambda: not hub.clients(), 30, reason="the clients are detached")


async def test_every_byte_of_a_plain_shell_comes_as_it_was_printed(hub, program):
    hub.run("tmux", "-L", "hub", "kill-server")
    try:
        printers = await printed(hub)
        assert demand_exact(printers, LINES) > TERMINALS * LINES
    finally:
        await asyncio.to_thread(hub.container.restart, timeout=5)
