"""A terminal in the page, as a person sees and uses it."""

import difflib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.support import wait_until

ROWS = """() => [...document.querySelectorAll("[role=tabpanel]:not([hidden]) .xterm-rows > div")].map(row => {
    if (row.scrollWidth <= row.clientWidth) return row.textContent;
    // after a terminal grew narrower xterm keeps cells beyond its edge, where nobody sees them
    const edge = row.getBoundingClientRect().right - 1, range = document.createRange();
    const walker = document.createTreeWalker(row, NodeFilter.SHOW_TEXT);
    let seen = "";
    while (walker.nextNode())
        for (let at = 0; at < walker.currentNode.length; at++) {
            range.setStart(walker.currentNode, at);
            range.setEnd(walker.currentNode, at + 1);
            if (range.getBoundingClientRect().left < edge) seen += walker.currentNode.data[at];
        }
    return seen;
})"""
DRAWS = """() => new Promise(done => {
    setTimeout(() => done("draws no frame"), 2000);
    requestAnimationFrame(() => done("draws frames"));
})"""
SECONDS = 30


class Screen:
    """The active tab's terminal: what is on it, and keys for it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.ready()

    def ready(self) -> "Screen":
        expect(self.page.locator("#terminal-status")).to_contain_text(re.compile(r"^Connected\."), timeout=SECONDS * 1000)
        return self

    @property
    def rows(self) -> list[str]:
        """Without what is blank at the end."""
        return [row.replace("\xa0", " ").rstrip() for row in self.page.evaluate(ROWS)]

    @property
    def text(self) -> str:
        return "\n".join(self.rows).rstrip()

    def shows(self, wanted: "str | Callable[[list[str]], bool]") -> None:
        """Wait until it is there."""
        holds = (lambda: wanted in self.text) if isinstance(wanted, str) else (lambda: wanted(self.rows))
        wait_until(holds, SECONDS, reason=lambda: f"{wanted!r} is not on the screen:\n{self.text}\n{self.story}")

    @property
    def story(self) -> str:
        """Which part stands still: the page, or what comes to it."""
        return f"The page {self.page.evaluate(DRAWS)}; its terminals' last messages:\n" + "\n".join(map(repr, self.page.evaluate("heard")))

    def is_right(self, session: Callable[[], list[str]]) -> None:
        """Wait until every row is what the session in the container holds."""
        wait_until(
            lambda: self.rows == session(),
            SECONDS,
            reason=lambda: "the screen and the session differ:\n" + "\n".join(difflib.ndiff(session(), self.rows)),
        )

    def narrower(self) -> None:
        """A smaller window: the terminal has fewer rows and columns."""
        before = len(self.rows)
        self.page.set_viewport_size({"width": 900, "height": 760})
        self.shows(lambda rows: len(rows) < before)

    def type(self, text: str) -> None:
        """As keys; a newline is Enter."""
        self.page.locator("[role=tabpanel]:not([hidden]) textarea").focus()
        self.page.keyboard.type(text)

    def press(self, *keys: str) -> None:
        self.page.locator("[role=tabpanel]:not([hidden]) textarea").focus()
        for key in keys:
            self.page.keyboard.press(key)

    def paste(self, text: str) -> None:
        """As the browser does it: an event with the text, at the focused element."""
        self.page.locator("[role=tabpanel]:not([hidden]) textarea").focus()
        self.page.evaluate(
            """text => {
                const data = new DataTransfer();
                data.setData("text/plain", text);
                document.activeElement.dispatchEvent(new ClipboardEvent("paste", {clipboardData: data, bubbles: true, cancelable: true}));
            }""",
            text,
        )

    def reload(self) -> None:
        self.page.reload()
        self.ready()

    def fresh(self, name: str) -> "Screen":
        """Another terminal, of that name, in the same page."""
        before = set(self.tabs)
        self.page.click("#terminal-new")
        wait_until(lambda: len(set(self.tabs) - before) == 1, SECONDS, reason="no other tab")
        self.ready()
        self.page.click("#terminal-rename")
        self.page.fill("#question-answer", name)
        self.page.keyboard.press("Enter")
        wait_until(lambda: name in self.tabs, SECONDS, reason=lambda: f"it is not renamed: {self.tabs}")
        self.ready().shows("$")
        return self

    @property
    def tabs(self) -> list[str]:
        return self.page.locator("[role=tab]").all_inner_texts()

    @property
    def name(self) -> str:
        return self.page.locator("[role=tab][aria-selected=true]").inner_text()


@contextmanager
def own_terminal(visitor: Visitor, name: str, **options: Any) -> Iterator[Screen]:
    """At a shell's prompt; closed at the end, whatever runs in it."""
    screen = Screen(visitor.console(**options)).fresh(name)
    yield screen
    screen.page.click("#terminal-close")
    screen.page.click("#question-yes")
    expect(screen.page.locator(f"#tab-{name}")).to_have_count(0, timeout=SECONDS * 1000)
