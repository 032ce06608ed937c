"""The console's page as the server draws it, which is all there is without scripts."""

import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient
from django.utils import timezone

from containerhub import assets
from projects.models import CommandRun, Project
from projects.services.spool import Spool
from projects.states import RunState, Stream
from tests.cast import EVERYBODY, cast, pages
from tests.test_pages import INLINE

__all__ = ["cast", "pages"]
PLACE = "/projects/web/console/"


@pytest.fixture
def run(cast):
    made = CommandRun.objects.create(
        project=cast.project, command="make <all>", timeout_seconds=5, actor_name="operator",
        state=RunState.FINISHED, exit_code=2, finished_at=timezone.now(),
    )  # fmt: skip
    with Spool(made.id) as spool:
        spool.write(Stream.STDOUT, "built €".encode()[:-1])
        spool.write(Stream.STDERR, b"<b>oh</b>\n")
        spool.write(Stream.STDOUT, "€".encode()[-1:] + b" done\n")
    return made


@pytest.mark.parametrize("name", EVERYBODY)
def test_members_see_it_and_a_stranger_finds_nothing(cast, name):
    answer = cast.browser(name).get(PLACE) if name != "nobody" else cast.api(name).get(PLACE)
    assert answer.status_code == {"stranger": 404, "nobody": 302}.get(name, 200)


@pytest.mark.parametrize(("name", "may"), [("viewer", False), ("operator", True), ("owner", True), ("administrator", True)])
def test_a_viewer_is_told_why_he_only_watches(cast, name, may):
    page = cast.browser(name).get(PLACE).content.decode()
    assert ("data-may-operate" in page) is may
    assert ("need the operator role" in page) is not may


def test_nothing_is_inline_but_what_bears_this_answers_nonce(cast):
    first, second = (cast.browser("operator").get(PLACE) for _ in range(2))
    assert not INLINE.search(first.content)
    (one,), (other,) = (re.findall(r"style-src 'self' 'nonce-([^']{16,})'", each["Content-Security-Policy"]) for each in (first, second))
    assert one != other
    assert f'nonce="{one}"' in first.content.decode()
    assert "unsafe" not in first["Content-Security-Policy"]
    assert "nonce" not in cast.browser("operator").get("/")["Content-Security-Policy"]


def test_it_says_what_is_missing_where_npm_has_installed_nothing(cast, monkeypatch):
    monkeypatch.setattr(assets, "address", lambda name: None)
    page = cast.browser("operator").get(PLACE).content.decode()
    assert "@xterm/xterm is not installed" in page
    assert "make up" in page
    assert "data-asset-xterm" not in page


def test_without_scripts_past_commands_are_listed_and_their_output_is_read(cast, run):
    listed = cast.browser("viewer").get(PLACE).content.decode()
    assert f'href="?run={run.id}"' in listed
    assert "make &lt;all&gt;" in listed
    assert "exit code 2" in listed
    assert "<noscript>" in listed
    shown = cast.browser("viewer").get(f"{PLACE}?run={run.id}").content.decode()
    parts = re.findall(r'<div class="part (\w+)">(<span class="mark">stderr</span>)?<pre>([^<]*)</pre>', shown)
    assert parts == [
        ("stdout", "", "built "),
        ("stderr", '<span class="mark">stderr</span>', "&lt;b&gt;oh&lt;/b&gt;\n"),
        ("stdout", "", "€ done\n"),
    ]


def test_the_list_is_searched(cast, run):
    assert "make &lt;all&gt;" in cast.browser("viewer").get(f"{PLACE}?q=MAKE").content.decode()
    assert "No command holds" in cast.browser("viewer").get(f"{PLACE}?q=nothing").content.decode()


@pytest.mark.parametrize("run_id", ["x", "\0", "00000000-0000-4000-8000-000000000000"])
def test_a_run_that_is_not_the_projects_is_not_shown(cast, run_id):
    assert cast.browser("viewer").get(PLACE, {"run": run_id}).status_code == (404 if "-" in run_id else 200)


@pytest.mark.parametrize(
    ("stream", "name", "content"),
    [
        ("", "", b"built \xe2\x82<b>oh</b>\n\xac done\n"),
        ("stderr", ".stderr", b"<b>oh</b>\n"),
        ("stdout", ".stdout", "built € done\n".encode()),
    ],
)
def test_all_output_is_downloaded_byte_for_byte(cast, run, stream, name, content):
    client = AsyncClient()
    async_to_sync(client.aforce_login)(cast.users["viewer"], backend="django.contrib.auth.backends.ModelBackend")

    async def download():
        answer: Any = await client.get(f"/projects/web/runs/{run.id}/output.txt", {"stream": stream})
        return answer, b"".join([part async for part in answer.streaming_content])

    answer, body = async_to_sync(download)()
    assert body == content
    assert answer["Content-Disposition"] == f'attachment; filename="web-{run.id.hex[:8]}{name}.txt"'
    assert answer["Content-Type"] == "text/plain; charset=utf-8"


def test_the_tail_is_frames_and_the_offset_to_follow_from(cast, run):
    answer = cast.browser("viewer").get(f"/projects/web/runs/{run.id}/tail")
    assert answer.content.startswith(b"\1\0\0\0\0\0\0\x08built \xe2\x82\2\0\0\0")
    assert int(answer["X-ContainerHub-Next-Offset"]) == len(answer.content)
    assert (answer["X-ContainerHub-Truncated"], answer["X-ContainerHub-State"]) == ("0", "finished")


@pytest.mark.parametrize("place", ["output.txt", "tail"])
def test_output_is_only_for_those_who_may_look(cast, run, place):
    path = f"/projects/web/runs/{run.id}/{place}"
    assert cast.browser("stranger").get(path).status_code == 404
    Project.objects.create(slug="other", name="other", path="/other")
    assert cast.browser("administrator").get(f"/projects/other/runs/{run.id}/{place}").status_code == 404
    CommandRun.objects.update(output_removed_at=timezone.now())
    assert cast.browser("viewer").get(path).status_code == 404
    assert "Its output was removed" in cast.browser("viewer").get(f"{PLACE}?run={run.id}").content.decode()


def test_a_run_is_offered_to_be_run_again(cast, run):
    page = cast.browser("operator").get(f"{PLACE}?run={run.id}&again=1").content.decode()
    assert "disabled>make &lt;all&gt;</textarea>" in page
    assert "disabled></textarea>" in cast.browser("operator").get(f"{PLACE}?run={run.id}").content.decode()
