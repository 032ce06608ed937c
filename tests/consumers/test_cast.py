"""Who may do what at both sockets, from which page, and what happens when a session ends while they are open."""

import asyncio
import contextlib
import json

import pytest
import websockets

from tests.consumers.talk import connect, refusal, run, said, the_close, until

pytestmark = pytest.mark.live

MAY_WORK = ("operator", "owner", "administrator")
KINDS = ("commands", "terminal")
ENDINGS_SECONDS = 30

LEAVERS = """
    from importlib import import_module
    from django.contrib.auth import get_user_model
    from django.test import Client
    made = {}
    for name in ("signed-out", "changed", "withdrawn", "demoted", "removed"):
        slug = "doomed" if name == "removed" else "web"
        user = get_user_model().objects.create_user(name, password="a long old one")
        Membership.objects.create(project=Project.objects.get(slug=slug), user=user, role="operator")
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        made[name] = [slug, client.cookies["sessionid"].value]
    answer(made)
"""
END = """
    from django.contrib.auth import get_user_model
    from django.test import Client
    from projects.services import catalog, lifecycle, people
    user, project = get_user_model().objects.get, Project.objects.get(slug="web")
    client = Client(headers={{"host": "127.0.0.1"}})
    client.cookies["sessionid"] = {session!r}
    assert client.post("/accounts/logout/").status_code == 302
    people.set_password(user=user(username="changed"), password="quite another long one", actor=ACTOR)
    catalog.remove_member(project=project, user=user(username="withdrawn"), actor=ACTOR)
    catalog.set_member(project=project, user=user(username="demoted"), role="viewer", actor=ACTOR)
    lifecycle.remove_project(project=Project.objects.get(slug="doomed"), actor=ACTOR)
"""


@pytest.mark.parametrize("who", MAY_WORK)
async def test_members_who_may_work_run_and_type(hub, who):
    async with connect(hub, "web/commands/", who=who) as socket:
        assert (await run(socket, "id -un"))[0] == b"claude\n"
    async with connect(hub, f"web/terminal/?session={who}", who=who) as socket:
        assert (await said(socket, "ready"))["read_only"] is False
        await socket.send(b"echo typed-$((1+1))\r")
        await until(socket, b"typed-2")


async def test_a_viewer_watches_and_neither_runs_kills_types_nor_opens(hub):
    async with connect(hub, "web/commands/") as operator, connect(hub, "web/commands/", who="viewer") as viewer:
        await operator.send(json.dumps({"type": "run", "command": "echo shown; sleep 60"}))
        run_id = (await said(operator, "started"))["run_id"]
        await viewer.send(json.dumps({"type": "run", "command": "touch /tmp/by-viewer"}))
        assert "operator" in (await said(viewer, "error"))["message"]
        await viewer.send(json.dumps({"type": "attach", "run_id": run_id}))
        await until(viewer, b"shown\n")
        await viewer.send(json.dumps({"type": "kill"}))
        assert "operator" in (await said(viewer, "error"))["message"]
        await operator.send(json.dumps({"type": "kill"}))
        assert (await said(viewer, "exit"))["killed"] is True
    async with connect(hub, "web/terminal/?session=unopened", who="viewer") as viewer:
        assert "must open it first" in (await said(viewer, "error"))["message"]
        await viewer.send(b"touch /tmp/by-viewer\r")
        assert "operator" in (await said(viewer, "error"))["message"]
    assert hub.run("ls", "/tmp/by-viewer").startswith("ls: cannot access")
    assert "unopened" not in hub.run("tmux", "-L", "hub", "list-sessions")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("who", ["stranger", "nobody"])
async def test_others_are_refused_before_anything_is_looked_up(hub, who, kind):
    for slug in ("web", "there-is-none"):  # and cannot tell one from the other
        async with connect(hub, f"{slug}/{kind}/", who=who) as socket:
            message = json.loads(await socket.recv())["message"]
            assert await the_close(socket) == (4404 if who == "stranger" else 4401)
        assert "web" not in message


@pytest.mark.parametrize("who", ["operator", "nobody"])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "http://127.0.0.1:31337",
        "http://127.0.0.1",
        "https://127.0.0.1:{port}",
        "http://127.0.0.1:{port}/",
    ],
)
async def test_a_missing_or_foreign_origin_is_403_whoever_asks(hub, origin, kind, who):
    with pytest.raises(websockets.InvalidStatus) as refused:
        await connect(hub, f"web/{kind}/", who=who, origin=origin.format(port=hub.port)).__aenter__()
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("value", ["Bearer wrong", "Bearer", "Basic b3BlcmF0b3I6", "", "Bearer é"])
async def test_a_wrong_authorization_counts_and_no_cookie_beside_it(hub, value):
    headers = {"Authorization": value.encode().decode("latin-1"), "Cookie": "sessionid=none"}
    address = f"ws://{hub.address}/ws/projects/web/commands/"
    async with websockets.connect(address, origin=websockets.Origin(f"http://{hub.address}"), additional_headers=headers) as socket:
        assert await refusal(socket) == ("error", 4401)


async def test_a_session_that_ends_closes_its_sockets_within_30_seconds(hub):
    hub.box.add_project("doomed")
    leavers = hub.box.python(LEAVERS)
    async with contextlib.AsyncExitStack() as stack:
        sockets = {}
        for name, (slug, session) in leavers.items():
            for kind in KINDS:
                sockets[name, kind] = await stack.enter_async_context(connect(hub, f"{slug}/{kind}/?session=leaving", session=session))
        for name in ("signed-out", "changed", "withdrawn", "demoted"):
            await said(sockets[name, "terminal"], "ready")
        await asyncio.to_thread(hub.box.python, END.format(session=leavers["signed-out"][1]))
        async with asyncio.timeout(ENDINGS_SECONDS):
            codes = dict(zip(sockets, await asyncio.gather(*(code_of(socket) for socket in sockets.values())), strict=True))
    wanted = {"signed-out": 4401, "changed": 4401, "withdrawn": 4404, "demoted": 4404, "removed": 4404}
    assert codes == {(name, kind): wanted[name] for name in leavers for kind in KINDS}


async def code_of(socket):
    """The close that comes after an `error`."""
    last = ""
    with contextlib.suppress(websockets.ConnectionClosed):
        while True:
            last = await socket.recv()
    assert json.loads(last)["type"] == "error"
    return socket.close_code
