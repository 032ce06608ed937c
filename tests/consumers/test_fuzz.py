"""10,000 messages that are no messages, at both sockets: each gets `error` and 4400, and the hub is as it was before."""

import asyncio
import itertools
import os
import random
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.consumers import fuzz
from tests.consumers.served import TASKS_PATH
from tests.consumers.talk import connect, run, said
from tests.support import wait_until

pytestmark = pytest.mark.live

SEED = int(os.environ.get("FUZZ_SEED", "20261126"))
MESSAGES, AT_ONCE = int(os.environ.get("FUZZ_MESSAGES", "10000")), 24
AT_A_RUNNING_TERMINAL = 60
"""Each attaches a client in the container; the others meet a project whose container does not run."""


@pytest.fixture(scope="module")
def fuzzed(hub):
    """A web process that tells its tasks, and a project "idle" without a container."""
    mine = hub.beside()
    hub.box.add_project("idle")
    hub.box.python("""
        from django.contrib.auth import get_user_model
        user = get_user_model().objects.get(username="operator")
        Membership.objects.create(project=Project.objects.get(slug="idle"), user=user, role="operator")
    """)
    with mine.serving("tests.consumers.watched:application"):
        asyncio.run(work(mine))
        asyncio.run(make_sessions(mine))
        yield mine


async def work(hub):
    async with connect(hub, "web/commands/") as socket:
        assert (await run(socket, "echo works"))[0] == b"works\n"


async def make_sessions(hub):
    for name in ("main", "f0", "f1", "f2"):
        async with connect(hub, f"web/terminal/?session={name}") as socket:
            await said(socket, "ready")


def what_it_holds(hub):
    tasks = httpx.get(f"http://{hub.address}{TASKS_PATH}", timeout=60).json()
    return {
        "tasks": Counter(task.split(" ")[2] for task in tasks if "RequestResponseCycle" not in task),
        "connections": connections(hub.port),
        "processes": sorted(line for line in hub.run("ps", "-eo", "args").splitlines() if not line.startswith("ps ")),
        "clients": hub.clients(),  # of the sessions that `fuzzed` made
        "execs": len(hub.container.attrs["ExecIDs"] or []),
        "client files": [path.name for path in (hub.box.data_dir / "terminals").glob("*")],
    }


def settled(hub):
    """What it holds when nothing is under way."""
    wait_until(lambda: not hub.clients() and len(what_it_holds(hub)["tasks"]) == 2, 60, reason=lambda: str(what_it_holds(hub)))
    return what_it_holds(hub)


def connections(port):
    """Clients of the hub. Its own sockets to the Engine are one for each of its threads, and grow with these."""
    rows = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(local.endswith(f":{port:04X}") and state == "01" for local, _remote, state in rows)


def traceback_in(hub):
    """The first one of its log, with what stands around it."""
    story = hub.story_whole()
    at = story.find("Traceback")
    return story[max(0, at - 500) : at + 3000] if at >= 0 else ""


def demand_as_before(hub, before):
    seen = {}

    def same():
        seen.update(what_it_holds(hub))
        return seen == before

    wait_until(same, 180, reason=lambda: f"{seen} is as {before}")


@pytest.mark.timeout(900)
def test_10_000_malformed_messages_each_get_error_and_4400_and_leave_nothing(fuzzed):
    hub = fuzzed
    before = settled(hub)
    wrong = asyncio.run(send_all(hub))
    assert not wrong, wrong[:10]
    demand_as_before(hub, before)
    assert traceback_in(hub) == ""
    assert "socket.failed" not in hub.story_whole()
    assert hub.run("ls", "/tmp/fuzzed").startswith("ls: cannot access")
    asyncio.run(work(hub))


async def send_all(hub):
    """The messages that were answered otherwise, with the answer."""
    rng, wrong = random.Random(SEED), []
    half = MESSAGES // 2
    commands = [("web/commands/", made) for made in itertools.islice(fuzz.messages("commands", rng), half)]
    terminal = list(itertools.islice(fuzz.messages("terminal", rng), MESSAGES - half))
    places = [
        f"web/terminal/?session=f{index % 3}" if index < AT_A_RUNNING_TERMINAL else "idle/terminal/" for index in range(len(terminal))
    ]
    waiting = iter([*zip(places, terminal, strict=True), *commands])

    async def some():
        for place, made in waiting:
            said, code = await asyncio.wait_for(fuzz.exchange(hub.port, f"/ws/projects/{place}", hub.keys["operator"], made.wire(rng)), 60)
            if code != 4400 or not said or said[-1] != "error":
                wrong.append((place, [(opcode, data[:200], last) for opcode, data, last in made.frames], said, code))

    await asyncio.gather(*(some() for _ in range(AT_ONCE)))
    return wrong


@pytest.mark.parametrize("kind", ["commands", "terminal"])
def test_broken_frames_end_with_the_code_of_the_protocol_and_leave_nothing(fuzzed, kind):
    async def send_them():
        for name, (wire, code) in fuzz.broken_frames(random.Random(SEED)).items():
            leave = code is None
            _said, got = await asyncio.wait_for(fuzz.exchange(hub.port, path, hub.keys["operator"], wire, leave=leave), 60)
            assert got == code, name

    hub = fuzzed
    path = f"/ws/projects/web/{kind}/"
    before = settled(hub)
    asyncio.run(send_them())
    demand_as_before(hub, before)
    assert traceback_in(hub) == ""


@pytest.mark.parametrize(
    "query",
    [
        "cols=0",
        "cols=-1",
        "cols=x",
        "cols=%D9%A3",
        "rows=999999",
        "session=a%20b",
        "session=%00",
        "session=..%2F",
        "session=%ED%A0%80",
        "session=" + "a" * 33,
    ],
)
async def test_a_malformed_address_of_a_terminal_is_4400_too(fuzzed, query):
    hub = fuzzed
    assert await fuzz.exchange(hub.port, f"/ws/projects/web/terminal/?{query}", hub.keys["operator"], b"") == (["error"], 4400)
