"""Terminals where there is no tmux, where the container goes and comes back, and where several look at one."""

import asyncio
import json

import docker
import httpx
import pytest

from tests.consumers.talk import connect, said, sized, until
from tests.support import wait_until

pytestmark = pytest.mark.live

LINE = b"[The container has stopped or was replaced; the terminal comes back by itself when it runs.]\r\n"
DO = "p = Project.objects.get(slug={slug!r}); lifecycle.{verb}_container(project=p, actor=ACTOR)"


@pytest.fixture(scope="module")
def bare(hub):
    """A project whose image has no tmux."""
    tag = f"{hub.box.prefix}-bare"
    docker.from_env().images.build(fileobj=dockerfile(), tag=tag, rm=True)
    hub.box.add_project("bare", image=tag)
    hub.box.python("""
        from django.contrib.auth import get_user_model
        p = Project.objects.get(slug="bare")
        Membership.objects.create(project=p, user=get_user_model().objects.get(username="operator"), role="operator")
        lifecycle.ensure_container(project=p, actor=ACTOR)
    """)
    yield hub
    hub.box.python(DO.format(slug="bare", verb="remove"))
    docker.from_env().images.remove(tag, force=True)


def dockerfile():
    import io

    return io.BytesIO(b"FROM claude-dev-base:latest\nUSER root\nRUN rm -f /usr/bin/tmux\nUSER claude\n")


async def test_an_image_without_tmux_gets_a_plain_shell_that_says_so_and_ends_with_its_socket(bare):
    async with connect(bare, "bare/terminal/?cols=70&rows=20") as socket:
        assert (await said(socket, "ready"))["persistent"] is False
        await socket.send(b"sleep 4242 & stty size; pwd\r")
        seen = await until(socket, b"/workspace\r\n", after=b"20 70")
        assert b"20 70" in seen
        await socket.send(json.dumps({"type": "resize", "cols": 101, "rows": 33}))
        await sized(socket, b"33 101")
    wait_until(lambda: "sleep 4242" not in ps(bare, "bare"), 30, reason=lambda: ps(bare, "bare"))


def ps(hub, slug):
    container = next(found for found in hub.box.containers() if found.name.endswith(f"-{slug}"))
    return container.exec_run(["ps", "-eo", "args"]).output.decode()


async def test_all_that_scrolled_off_the_screen_is_read_as_text(hub):
    path = f"http://{hub.address}/api/projects/web/terminals/long/history"
    async with connect(hub, "web/terminal/?session=long&cols=60&rows=20") as socket:
        await said(socket, "ready")
        await socket.send(b"for n in $(seq 3000); do echo line $n costs 5 \xe2\x82\xac; done; printf '%0200d\\n' 7; echo do''ne\r")
        await until(socket, b"done")

    def asked(who):
        return httpx.get(path, headers={"Authorization": f"Bearer {hub.keys[who]}"})

    answer = await asyncio.to_thread(asked, "viewer")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    lines = answer.text.split("\n")
    first = lines.index("line 1 costs 5 €")
    assert lines[first : first + 3002] == [*(f"line {n} costs 5 €" for n in range(1, 3001)), f"{7:0200}", "done"]
    assert (await asyncio.to_thread(asked, "stranger")).status_code == 404


async def act(hub, verb):
    await asyncio.to_thread(hub.box.python, DO.format(slug="web", verb=verb))


async def test_a_stopped_container_is_one_plain_line_and_the_terminal_comes_back_by_itself(hub):
    async with connect(hub, "web/terminal/?session=away") as socket:
        await said(socket, "ready")
        await socket.send(b"printf '\\033[?1049h\\033[?1000h'; cat\r")  # a full-screen program
        await act(hub, "stop")
        seen = await until(socket, LINE, 60)
        assert seen.count(b"comes back by itself") == 1
        assert b"\x1b[?1049l" in seen[seen.rindex(b"\x1b[0m") :]
        assert "not running" in (await said(socket, "error"))["message"]
        await act(hub, "start")
        assert (await said(socket, "ready", 60))["persistent"] is True
        await socket.send(b"echo back-$((1+1))\r")
        await until(socket, b"back-2")


async def test_a_refreshed_container_is_announced_and_attached_again_at_the_same_size(hub):
    before = hub.container.id
    async with connect(hub, "web/terminal/?session=new&cols=93&rows=27") as socket, connect(hub, "web/terminal/?session=new") as other:
        await said(socket, "ready")
        await said(other, "ready")
        await act(hub, "refresh")
        for one in (socket, other):
            assert (await until(one, LINE, 90)).count(b"comes back by itself") == 1
            await said(one, "ready", 90)
        assert hub.container.id != before
        await sized(socket, b"27 93")
        await sized(other, b"24 80")
        await socket.send(b"echo same-$((1+1))\r")
        for one in (socket, other):
            await until(one, b"same-2")
