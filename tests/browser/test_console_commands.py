"""The command bar, in a real browser on a real container."""

import json
import re
import shlex

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, axe, picture
from tests.browser.screen import Screen
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
SLOW = 60_000


def run(page: Page, command: str) -> None:
    page.fill("#command", command)
    page.press("#command", "Enter")


def ended(page: Page, how: str) -> None:
    expect(page.locator("#run-status")).to_contain_text(re.compile(how), timeout=SLOW)


def test_a_command_shows_its_streams_apart_and_how_it_ended(visitor):
    page = visitor.console()
    run(page, "echo 'three €uro'; echo \"<b>no markup</b>\" >&2; sleep 0.3; printf '\\e[31mred\\e[0m\\n'; exit 3")
    ended(page, r"^It ended, exit code 3, after [\d.]+ s\.$")
    assert "".join(page.locator("#output .stdout pre").all_text_contents()) == "three €uro\nred\n"
    expect(page.locator("#output .stderr pre")).to_have_text("<b>no markup</b>\n")
    expect(page.locator("#output .stderr .mark")).to_have_text("stderr")
    assert page.locator("#output b").count() == 0
    first = page.locator("#history li").first
    expect(first).to_contain_text("exit code 3")
    expect(first).to_contain_text("admin")
    with page.expect_download() as download:
        page.click("#download")
    lines = download.value.path().read_bytes().splitlines()  # the Engine's two pipes keep no order between them
    assert sorted(lines) == sorted(["three €uro".encode(), b"<b>no markup</b>", b"\x1b[31mred\x1b[0m"])


def test_it_runs_on_while_the_page_is_reloaded_and_is_found_again(visitor):
    page = visitor.console()
    run(page, "for i in 1 2 3; do echo early $i; done; while ! test -e /tmp/go-on; do sleep 0.1; done; rm /tmp/go-on; echo late; exit 0")
    expect(page.locator("#output")).to_contain_text("early 3", timeout=SLOW)
    page.reload()
    ended(page, "^Running")
    expect(page.locator("#output")).to_have_text("early 1\nearly 2\nearly 3\n")
    visitor.hub.touch("/tmp/go-on")
    ended(page, "^It ended, exit code 0")
    expect(page.locator("#output")).to_have_text("early 1\nearly 2\nearly 3\nlate\n")


def test_another_page_finds_it_running_and_kills_it(visitor):
    one = visitor.console()
    run(one, "echo begun; sleep 600 & sleep 601; wait")
    expect(one.locator("#output")).to_contain_text("begun", timeout=SLOW)
    other = visitor.console()
    ended(other, "^Running")
    other.click("#kill")
    for page in (other, one):
        ended(page, "^It was killed")
        expect(page.locator("#kill")).to_be_disabled()
    assert visitor.hub.execute("ps -e -o args").count("sleep 60") == 0


def test_a_lost_connection_is_taken_up_where_it_broke(visitor):
    page = visitor.console()
    page.evaluate(
        """() => { window.sockets = []; const Real = WebSocket;
            window.WebSocket = class extends Real { constructor(...all) { super(...all); sockets.push(this); } }; }"""
    )
    run(page, "for i in $(seq 1 40); do echo line $i; sleep 0.05; done")
    expect(page.locator("#output")).to_contain_text("line 5", timeout=SLOW)
    page.evaluate("sockets.find(socket => socket.url.includes('/commands/')).close()")
    ended(page, "^It ended, exit code 0")
    assert page.evaluate("sockets.filter(socket => socket.url.includes('/commands/')).length") == 2
    expect(page.locator("#output")).to_have_text("".join(f"line {i}\n" for i in range(1, 41)))


def test_very_long_output_is_cut_on_the_page_and_says_so(visitor):
    page = visitor.console()
    run(page, "for i in $(seq 1 200000); do echo line $i; done; echo the end")
    ended(page, "^It ended, exit code 0")
    expect(page.locator("#cut")).to_contain_text("download it")
    text = page.locator("#output").text_content()
    assert text is not None
    assert text.endswith("line 200000\nthe end\n")
    assert len(text) < 1_000_000


def test_past_commands_are_searched_opened_and_used_again(visitor):
    page = visitor.console()
    for word in ("needle", "hay"):
        run(page, f"echo {word}-in-the-list")
        ended(page, "^It ended, exit code 0")
        expect(page.locator("#output")).to_have_text(f"{word}-in-the-list\n")
    page.fill("#history-words", "NEEDLE-in")
    expect(page.locator("#history li")).to_have_count(1)
    page.click("#history a")
    expect(page.locator("#output")).to_have_text("needle-in-the-list\n")
    assert "?run=" in page.url
    page.click("#history button")
    expect(page.locator("#command")).to_have_value("echo needle-in-the-list")
    expect(page.locator("#command")).to_be_focused()


def test_a_result_is_run_again_and_copied_for_a_shell(visitor):
    page = visitor.console(permissions=["clipboard-read", "clipboard-write"])
    page.fill("#workdir", "/tmp")
    page.fill("#timeout", "60")
    run(page, "pwd; echo it\\'s")
    ended(page, "^It ended, exit code 0")
    first = page.url
    page.reload()  # it comes from the hub now
    ended(page, "^It ended, exit code 0")
    copied = {}
    for button, told in (("copy", "output is copied"), ("copy-exec", "hub exec"), ("copy-curl", "API token")):
        page.click(f"#{button}")
        expect(page.locator("#run-status")).to_contain_text(told)
        copied[button] = page.evaluate("navigator.clipboard.readText()")
    assert copied["copy"] == "/tmp\nit's\n"
    order = ["hub", "exec", "sample", "--workdir", "/tmp", "--timeout", "60", "--", "bash", "-c", "pwd; echo it\\'s"]
    assert shlex.split(copied["copy-exec"]) == order
    words = shlex.split(copied["copy-curl"])
    assert json.loads(words[words.index("-d") + 1]) == {"command": order[-1], "workdir": "/tmp", "timeout": 60}
    assert words[-1] == f"{visitor.hub.address}/api/projects/sample/commands"
    assert "Authorization: Bearer $TOKEN" in words
    page.click("#repeat")
    ended(page, "^It ended, exit code 0")
    wait_until(lambda: page.url != first, reason="its address is another one")
    expect(page.locator("#output")).to_have_text("/tmp\nit's\n")


def test_what_the_hub_refuses_is_a_sentence_and_no_success(visitor):
    page = visitor.console()
    page.fill("#workdir", "/proc/self")
    run(page, "true")
    expect(page.locator("#run-status.bad")).to_contain_text("working directory", timeout=SLOW)
    expect(page.locator("#kill")).to_be_disabled()


def test_a_viewer_reads_but_cannot_run(visitor):
    page = visitor.console()
    run(page, "echo for all to read")
    ended(page, "^It ended")
    watched = visitor.console("vera", f"?run={page.url.split('run=')[1]}")
    expect(watched.locator("#output")).to_have_text("for all to read\n")
    for button in ("#command", "#run", "#kill", "#terminal-new", "#terminal-close"):
        expect(watched.locator(button)).to_be_disabled()
    expect(watched.locator("#watch-only")).to_contain_text("operator role")


def test_past_commands_are_read_without_scripts(visitor):
    page = visitor.console()
    run(page, "echo plain; echo wrong >&2")
    ended(page, "^It ended")
    plain = visitor.console("vera", java_script_enabled=False)
    plain.click("#history a >> nth=0")
    expect(plain.locator("#output .stdout")).to_have_text("plain\n")
    expect(plain.locator("#output .stderr pre")).to_have_text("wrong\n")
    assert "need JavaScript" in plain.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing(visitor, scheme, size):
    page = visitor.console(color_scheme=scheme, viewport=size)
    screen = Screen(page)
    screen.type("clear; git log --oneline; ls -la --color /\n")
    screen.shows("workspace")
    run(page, "git status 2>&1 | head -3; ls -d /usr/*; ls /nowhere")
    ended(page, "^It ended, exit code 2")
    page.click(".help summary")
    assert axe(page) == []
    page.click(".help summary")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "it scrolls sideways"
    picture(page, f"console-{'narrow' if size is NARROW else 'wide'}-{scheme}", tallest=1500)
