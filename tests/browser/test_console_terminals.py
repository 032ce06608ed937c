"""Terminals in a real browser on a real container: keys, pastes, sizes, viewers, broken connections."""

import time
from collections.abc import Iterator
from hashlib import sha256

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, Visitor, picture
from tests.browser.screen import SECONDS, Screen, own_terminal
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
SLOW = SECONDS * 1000


@pytest.fixture
def shell(visitor: Visitor, request) -> Iterator[Screen]:
    with own_terminal(visitor, request.node.originalname.removeprefix("test_")[:32]) as screen:
        yield screen


def test_a_flood_leaves_the_page_alive_and_control_c_answers_at_once(shell):
    shell.type("yes a flood of lines\n")
    shell.shows(lambda rows: rows.count("a flood of lines") > 20)
    started = time.monotonic()
    shell.press("Control+c")
    shell.shows(lambda rows: rows[-1].endswith("$") or any("^C" in row for row in rows))
    shell.type("echo it is o''ver\n")
    shell.shows("it is over")
    assert time.monotonic() - started < SECONDS / 2


KEYS = {
    **{f"Control+{letter}": f"^{letter.upper()}" for letter in "abcdefghklmnopqrstuvwxyz"},
    "Control+Space": "",  # it waits for the next key
    "Alt+b": "^[b",
    "Escape": "^[",
    "Tab": "^I",
    "Shift+Tab": "^[[Z",
    "Backspace": "^?",
    "Delete": "^[[3~",
    "Insert": "^[[2~",
    "ArrowUp": "^[[A",
    "Control+ArrowLeft": "^[[1;5D",
    "Shift+ArrowRight": "^[[1;2C",
    "Home": "^[[1~",
    "End": "^[[4~",
    "PageUp": "^[[5~",
    "F1": "^[OP",
    "F5": "^[[15~",
    "F12": "^[[24~",
}
"""What `cat -vt` shows of each; of Ctrl-J it shows a new line."""


def test_each_key_reaches_the_program_at_once_and_alone(shell):
    shell.type("stty raw -echo; clear; cat -vt\n")
    shell.shows(lambda rows: not any(rows))
    seen = ""
    for number, (key, shown) in enumerate(KEYS.items()):
        shell.type(f" {number}=")
        shell.press(key)
        seen += f" {number}={shown}"
        shell.shows(lambda rows: squeezed(rows) == seen.replace(" ", ""))  # noqa: B023
        if not shown:
            seen += "^@"


def squeezed(rows: list[str]) -> str:
    """Without spaces and line ends."""
    return "".join(rows).replace(" ", "")


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
    keys = screen.page.locator("#key-bar")
    expect(keys).to_be_visible()
    screen.type("clear; cat -vt\n")
    keys.locator("[data-key=Escape]").click()
    keys.locator("[data-key=ArrowUp]").click()
    screen.type("\n")
    screen.shows("^[^[[A")
    picture(screen.page, "console-keys", tallest=0)
    keys.locator("[data-key=Control]").click()
    expect(keys.locator("[data-key=Control]")).to_have_attribute("aria-pressed", "true")
    screen.page.keyboard.type("c")
    expect(keys.locator("[data-key=Control]")).to_have_attribute("aria-pressed", "false")
    screen.type("clear; echo back''again\n")
    screen.shows("backagain")


def test_what_is_on_the_screen_is_searched(shell):
    shell.type("clear; echo a need''le here; echo nee''dles there\n")
    shell.shows("a needle here")
    shell.shows("needles there")
    shell.press("Control+Shift+F")
    expect(shell.page.locator("#find-words")).to_be_focused()
    shell.page.fill("#find-words", "needle")
    shell.page.keyboard.press("Enter")
    expect(shell.page.locator("#terminal-status")).to_have_text("Found: 1 of 2 on the screen.")
    shell.page.keyboard.press("Enter")
    expect(shell.page.locator("#terminal-status")).to_have_text("Found: 2 of 2 on the screen.")
    shell.page.click("#find-previous")
    expect(shell.page.locator("#terminal-status")).to_have_text("Found: 1 of 2 on the screen.")
    picture(shell.page, "console-search", tallest=0)
    shell.page.locator("#find-words").focus()
    shell.page.fill("#find-words", "haystack")
    shell.page.keyboard.press("Enter")
    expect(shell.page.locator("#terminal-status")).to_contain_text("not on the screen")
    with shell.page.expect_popup() as opened:
        shell.page.click("#find-history")
    expect(opened.value.locator("body")).to_contain_text("needle")
    opened.value.close()
    shell.page.locator("#find-words").press("Escape")
    expect(shell.page.locator("#find")).to_be_hidden()


def test_letters_grow_and_stay_so(visitor):
    screen = Screen(visitor.console())
    rows = len(screen.rows)
    for _ in range(6):
        screen.page.click("#font-larger")
    screen.shows(lambda now: len(now) < rows)
    fewer = len(screen.rows)
    screen.type(f"clear; until stty size | grep '^{fewer} '; do sleep 0.1; done; echo se''en\n")
    screen.shows("seen")
    screen.reload()
    assert len(screen.rows) == fewer
    for _ in range(12):
        screen.page.click("#font-smaller")
    screen.shows(lambda now: len(now) > rows)


def test_a_terminal_fills_the_screen_and_comes_back(visitor):
    screen = Screen(visitor.console(viewport={"width": 1000, "height": 700}))
    rows = len(screen.rows)
    screen.page.click("#terminal-full")
    screen.shows(lambda now: len(now) > rows)
    expect(screen.page.locator("#terminal-full")).to_have_attribute("aria-pressed", "true")
    screen.page.click("#terminal-full")
    screen.shows(lambda now: len(now) == rows)
    expect(screen.page.locator("#terminal-full")).to_have_attribute("aria-pressed", "false")


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
    screen.shows("\nthe other did")
    seen.shows("\nthe other did")
    assert "typed" not in seen.text
    assert "he ty" not in seen.text


def test_a_key_of_who_only_watches_moves_no_page(visitor):
    """A field that takes no text leaves Space to the page; scrolled out of sight the terminal draws nothing more."""
    Screen(visitor.console())  # or there is no terminal to watch
    low = visitor.console("vera", viewport={"width": 1280, "height": 420})
    seen = Screen(low)
    height = low.evaluate("document.scrollingElement.scrollHeight")
    assert height > 800, "the page is longer than its window: else this proves nothing"
    seen.press("a")  # to have the focus moves the page
    before = low.evaluate("scrollY")
    seen.type(" a few words typed in vain\n")
    seen.press("PageDown", "ArrowDown", "End")
    time.sleep(1)
    assert low.evaluate("scrollY") == before


SOCKETS = """
    window.sockets = []; window.swallow = false; const Real = WebSocket;
    window.WebSocket = class extends Real {
        constructor(...all) { super(...all); sockets.push(this); }
        send(data) { if (!(window.swallow && data instanceof Uint8Array)) super.send(data); }
    };
"""


@pytest.fixture
def breakable(visitor: Visitor) -> Screen:
    """Its page's `sockets` can be closed, and lose what is typed while `swallow` is true."""
    context = visitor.context()
    context.add_init_script(SOCKETS)
    page = context.new_page()
    page.goto("/projects/sample/console/")
    return Screen(page)


def connections(page: Page) -> int:
    return int(page.evaluate("sockets.filter(each => each.url.includes('/terminal/')).length"))


def broken(screen: Screen) -> None:
    """Its connection is closed, and another one stands."""
    before = connections(screen.page)
    screen.page.evaluate("sockets.forEach(socket => socket.close())")
    wait_until(lambda: connections(screen.page) > before, SECONDS)


def test_a_lost_connection_comes_back_by_itself(breakable):
    breakable.type("clear; echo sti''ll here\n")
    breakable.shows("still here")
    broken(breakable)
    breakable.ready()
    breakable.type("echo and go''es on\n")
    breakable.shows("and goes on")
    assert "still here" in breakable.text


def test_keys_that_a_breaking_connection_swallowed_are_typed_again(breakable):
    breakable.type("clear; echo be''fore,")
    breakable.shows("fore,")
    breakable.page.evaluate("window.swallow = true")
    breakable.type(" on the way,")
    breakable.page.evaluate("window.swallow = false")
    broken(breakable)
    breakable.type(" af''ter\n")
    breakable.shows(lambda rows: "before, on the way, after" in rows)


def test_keys_are_typed_once_whenever_the_connection_breaks(breakable):
    breakable.type("clear; echo go''t")
    words = [f"word{number}" for number in range(12)]
    for word in words:
        breakable.type(f" {word}")
        breakable.page.evaluate("sockets.at(-1).close()")
        breakable.type(f" {word.upper()}")
        if word in words[::2]:
            breakable.ready()
    breakable.type("\n")
    wanted = "got" + "".join(word + word.upper() for word in words)
    breakable.shows(lambda rows: wanted in "".join(rows).replace(" ", ""))


def test_a_hub_that_does_not_answer_is_tried_five_times_and_then_at_a_button(breakable, visitor):
    page = breakable.page
    page.clock.install()
    page.context.set_offline(True)
    page.evaluate("sockets.forEach(socket => socket.close())")
    for delay in ("0.5", "1", "2", "4", "8"):
        expect(page.locator("#terminal-status")).to_have_text(f"The connection broke; trying again in {delay} s.", timeout=SLOW)
        page.clock.fast_forward(float(delay) * 1000)
    expect(page.locator("#terminal-status")).to_contain_text("cannot be reached", timeout=SLOW)
    page.context.set_offline(False)
    page.click("#terminal-again")
    breakable.ready()
    expect(page.locator("#terminal-again")).to_be_hidden()
    assert all("ERR_INTERNET_DISCONNECTED" in complaint for complaint in visitor.complaints)
    visitor.complaints.clear()


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
