"""Terminals in a real browser, with real programs in a real container: used, resized, reloaded in the middle."""

import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, Visitor, picture
from tests.browser.screen import SECONDS, Screen
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
SLOW = SECONDS * 1000


@pytest.fixture
def shell(visitor: Visitor, request) -> Iterator[Screen]:
    """A terminal of the test's own, at a shell's prompt; closed at the end, whatever runs in it."""
    name = request.node.originalname.removeprefix("test_")[:32]
    screen = Screen(visitor.console()).fresh(name)
    yield screen
    screen.page.click("#terminal-close")
    screen.page.click("#question-yes")
    expect(screen.page.locator(f"#tab-{name}")).to_have_count(0, timeout=SLOW)


def test_vim_is_right_again_after_a_resize_and_a_reload(shell):
    shell.type("vim -u NONE -c 'set number ruler' /tmp/poem\n")
    shell.shows("/tmp/poem")
    shell.type("iroses are red\nviolets are €")
    shell.shows("  2 violets are €")
    shell.narrower()
    shell.shows(lambda rows: rows[-1].endswith("All"))
    before = shell.settled()
    shell.reload()
    shell.shows(lambda rows: "\n".join(rows).rstrip() == before)
    picture(shell.page, "vim")
    shell.press("Escape")
    shell.type(":wq\n")
    shell.shows("$")
    shell.type("cat /tmp/poem\n")
    shell.shows("\nviolets are €")


def test_less_keeps_its_place_over_a_reload(shell):
    shell.type("seq 1 1000 | less -X\n")
    shell.shows(":")
    shell.type("500g")
    shell.shows("\n501\n")
    before = shell.settled()
    shell.reload()
    shell.shows(lambda rows: "\n".join(rows).rstrip() == before)
    shell.type("/77[0-9]$\n")
    shell.shows("\n771\n")
    shell.type("q")


def test_a_program_that_redraws_the_whole_screen_goes_on_after_a_reload(shell):
    shell.type("top -d 0.5\n")
    shell.shows("load average")
    shell.shows("COMMAND")
    shell.narrower()
    shell.shows(lambda rows: "top - " in rows[0] and any("COMMAND" in row for row in rows))
    shell.reload()
    shell.shows(lambda rows: "top - " in rows[0])
    drawn = shell.text
    shell.shows(lambda rows: "\n".join(rows) != drawn)
    picture(shell.page, "top")
    shell.type("q")
    shell.shows("$")


def test_a_python_repl_keeps_its_variables_over_a_reload(shell):
    shell.type("python3 -q\n")
    shell.shows(">>>")
    shell.type("answer = 6 * 7\n")
    shell.reload()
    shell.shows("answer = 6 * 7")
    shell.type("print('the answer', answer)\n")
    shell.shows("the answer 42")


def test_the_real_claude_shows_its_first_screen_also_after_a_reload(shell):
    shell.type("clear; claude\n")
    shell.shows(lambda rows: any("Claude" in row for row in rows) and "$ clear" not in rows[0])
    expect(shell.page.locator("#terminal-status")).to_contain_text("Connected.")
    before = shell.settled()
    shell.reload()
    shell.shows(lambda rows: "\n".join(rows).rstrip() == before)
    picture(shell.page, "claude")


def test_a_flood_leaves_the_page_alive_and_control_c_answers_at_once(shell):
    shell.type("yes a flood of lines\n")
    shell.shows(lambda rows: rows.count("a flood of lines") > 20)
    started = time.monotonic()
    shell.press("Control+c")
    shell.shows(lambda rows: rows[-1].endswith("$") or any("^C" in row for row in rows))
    shell.type("echo it is o''ver\n")
    shell.shows("it is over")
    assert time.monotonic() - started < SECONDS / 2


def test_a_paste_of_several_lines_asks_first(shell):
    shell.paste("echo one''line")
    shell.shows("echo one''line")
    shell.press("Control+u")
    shell.paste("echo first''line\necho second''line\n")
    question = shell.page.locator("#question")
    expect(question).to_contain_text("Paste 3 lines?")
    expect(question.locator("#question-detail")).to_have_text("echo first''line\necho second''line\n")
    expect(shell.page.locator("#question-no")).to_be_focused()
    shell.page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    shell.type("echo not''hing\n")
    shell.shows("\nnothing")
    assert "first" not in shell.text
    shell.paste("echo first''line\necho second''line\n")
    shell.page.click("#question-yes")
    shell.shows("echo second''line")
    shell.press("Enter")
    shell.shows("secondline")


def test_a_long_paste_of_wide_characters_arrives_whole(shell):
    text = f"{'€' * 500}\n" * 20
    data = text.encode()
    shell.type(f"clear; stty -echo; echo rea''dy; head -c {len(data)} | sha256sum; stty echo\n")
    shell.shows("ready")
    shell.paste(text)
    shell.page.click("#question-yes")
    shell.shows(sha256(data).hexdigest())


def test_shift_enter_is_a_new_line_for_claude(shell):
    shell.type("cat -v\n")
    shell.press("Shift+Enter")
    shell.type("x\n")
    shell.shows("^[")
    shell.press("Control+c")


def test_the_size_follows_the_window(shell):
    shell.type('clear; stty size; before=$(stty size); until test "$(stty size)" != "$before"; do sleep 0.1; done; echo now $(stty size)\n')
    shell.shows(str(len(shell.rows)))
    shell.narrower()
    shell.shows(f"now {len(shell.rows)} ")


def test_the_keyboard_gets_in_and_out(shell):
    shell.press("Control+Shift+F6")
    expect(shell.page.locator("[role=tab][aria-selected=true]")).to_be_focused()
    shell.page.keyboard.press("Home")
    expect(shell.page.locator("[role=tab]").first).to_be_focused()
    shell.page.keyboard.press("End")
    shell.page.keyboard.press("Enter")
    shell.page.keyboard.type("echo in''side\n")
    shell.shows("inside")


def test_a_closed_page_leaves_its_terminal_running(shell, visitor):
    shell.type("export KEPT=yes; echo set\n")
    shell.shows("set")
    other = visitor.console()
    name = shell.page.locator("[role=tab][aria-selected=true]").inner_text()
    other.click(f"[role=tab]:text-is('{name}')")
    again = Screen(other)
    again.type("clear; echo kept: $KEPT\n")
    again.shows("kept: yes")
    other.close()


def test_the_key_bar_has_what_a_small_keyboard_lacks(visitor):
    screen = Screen(visitor.console(viewport=NARROW))
    keys = screen.page.locator("#keys")
    expect(keys).to_be_visible()
    screen.type("clear; cat -v\n")
    keys.locator("[data-key=Escape]").click()
    keys.locator("[data-key=ArrowUp]").click()
    screen.type("\n")
    screen.shows("^[^[[A")
    picture(screen.page, "keys")
    keys.locator("[data-key=Control]").click()
    expect(keys.locator("[data-key=Control]")).to_have_attribute("aria-pressed", "true")
    screen.page.keyboard.type("c")
    expect(keys.locator("[data-key=Control]")).to_have_attribute("aria-pressed", "false")
    screen.type("clear; echo back''again\n")
    screen.shows("backagain")


def test_what_is_on_the_screen_is_searched(shell):
    shell.type("clear; echo a need''le here\n")
    shell.shows("a needle here")
    shell.page.click("#terminal-find")
    shell.page.fill("#find-words", "needle")
    shell.page.keyboard.press("Enter")
    expect(shell.page.locator("#terminal-status")).to_have_text("Found.")
    shell.page.fill("#find-words", "haystack")
    shell.page.keyboard.press("Enter")
    expect(shell.page.locator("#terminal-status")).to_contain_text("not on the screen")
    shell.page.keyboard.press("Escape")
    expect(shell.page.locator("#find")).to_be_hidden()


def test_screen_reader_mode_reads_the_screen_out_and_is_remembered(visitor):
    screen = Screen(visitor.console())
    screen.page.click(".help summary")
    screen.page.check("#screen-reader")
    screen.type("clear; echo to be''read\n")
    expect(screen.page.locator(".xterm-accessibility")).to_contain_text("to beread")
    screen.page.reload()
    expect(screen.page.locator(".xterm-accessibility")).to_be_attached(timeout=SLOW)


def test_a_viewer_watches_and_cannot_type(visitor):
    screen = Screen(visitor.console())
    screen.type("clear; echo for the vie''wer\n")
    screen.shows("for the viewer")
    watched = visitor.console("vera")
    seen = Screen(watched)
    seen.shows("for the viewer")
    seen.type("echo he ty''ped\n")
    screen.type("echo the oth''er did\n")
    seen.shows("\nthe other did")
    assert "typed" not in seen.text
    assert "he ty" not in seen.text


def test_a_lost_connection_comes_back_by_itself(visitor):
    page = visitor.console("admin")
    page.add_init_script(
        """{ window.sockets = []; const Real = WebSocket;
            window.WebSocket = class extends Real { constructor(...all) { super(...all); sockets.push(this); } }; }"""
    )
    page.reload()
    screen = Screen(page)
    screen.type("clear; echo sti''ll here\n")
    screen.shows("still here")
    page.evaluate("sockets.forEach(socket => socket.close())")
    wait_until(lambda: page.evaluate("sockets.filter(each => each.url.includes('/terminal/')).length") == 2, SECONDS)
    screen.ready()
    screen.type("echo and go''es on\n")
    screen.shows("and goes on")
    assert "still here" in screen.text


def test_a_stopped_container_is_told_and_its_terminal_comes_back_when_it_is_started(visitor):
    screen = Screen(visitor.console())
    (container,) = visitor.hub.stack.box.containers()
    container.stop(timeout=1)
    status, start = screen.page.locator("#terminal-status"), screen.page.locator("#container-start")
    expect(status).to_contain_text("not running", timeout=SLOW)
    expect(status).to_have_class("bad")
    start.click()
    screen.ready()
    expect(start).to_be_hidden()
    screen.type("clear; echo up aga''in\n")
    screen.shows("up again")
