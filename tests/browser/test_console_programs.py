"""Real programs in a real browser: resized in the middle, reloaded in the middle, and each time the screen is right again."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.conftest import NARROW, WIDE, Visitor, picture
from tests.browser.screen import SECONDS, Screen, own_terminal
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
CUT = """() => {
    const panel = document.querySelector("[role=tabpanel]:not([hidden])").getBoundingClientRect();
    const rows = [...document.querySelectorAll("[role=tabpanel]:not([hidden]) .xterm-rows > div")].map(row => row.getBoundingClientRect());
    return rows[0].top < panel.top || rows.at(-1).bottom > panel.bottom || rows[0].right > panel.right;
}"""
SYNCHRONIZED, OLD_FORM = b"\x1b[?2026h", b"\x1bP=1s"


class Program:
    """A terminal of its own, with the means to see that its screen is the session's."""

    def __init__(self, visitor: Visitor, shell: Screen) -> None:
        self.hub, self.shell, self.page = visitor.hub, shell, shell.page

    def shows(self, wanted: "str | Callable[[list[str]], bool]") -> None:
        """And nothing else than what the session holds."""
        self.shell.shows(wanted)
        self.is_right()

    def is_right(self) -> None:
        wait_until(lambda: not self.page.evaluate(CUT), SECONDS, reason="the terminal's rows stick out of its panel")
        self.shell.is_right(lambda: self.hub.session(self.shell.name))

    def resized(self) -> None:
        self.shell.narrower()
        self.is_right()

    def sized(self, size: Any) -> None:
        """The session has taken on another width, and is drawn so."""
        before = self._width()
        self.page.set_viewport_size(size)
        wait_until(lambda: self._width() != before, SECONDS, reason="the session keeps its width")
        self.is_right()

    def _width(self) -> str:
        return self.hub.execute(f"tmux -L hub display-message -p -t ={self.shell.name}: '#{{pane_width}}'")

    def reloaded(self) -> None:
        self.shell.reload()
        self.is_right()


@pytest.fixture
def program(visitor: Visitor, request) -> Iterator[Program]:
    """Named by the test's first word; the test's parameter is the browser's options."""
    options: dict[str, Any] = getattr(request, "param", {})
    with own_terminal(visitor, request.node.originalname.split("_")[1], **options) as shell:
        yield Program(visitor, shell)


@pytest.mark.parametrize("program", [{"color_scheme": "dark"}], ids=["dark"], indirect=True)
def test_vim_is_right_after_a_resize_and_a_reload(program):
    shell = program.shell
    shell.type("cp /usr/local/bin/healthcheck /tmp/script; clear; vim -c 'syntax on | set number ruler' /tmp/script\n")
    program.shows("  1 #!/bin/sh")
    program.resized()
    shell.type("10Giroses are €")
    program.shows(" 10 roses are €")
    program.reloaded()
    shell.press("Escape")
    shell.type(":vsplit\n")
    program.shows(lambda rows: rows[0].count("#!/bin/sh") == 2)
    picture(program.page, "console-vim", tallest=0)
    program.reloaded()
    shell.type(":qa!\n")
    program.shows(lambda rows: rows[0].endswith("$"))


@pytest.mark.parametrize("program", [{"viewport": NARROW, "color_scheme": "dark"}], ids=["narrow"], indirect=True)
def test_less_keeps_its_place(program):
    shell = program.shell
    shell.type("seq -f 'line %.0f of a long file' 1 5000 > /tmp/long; clear; less /tmp/long\n")
    program.shows("line 1 of")
    shell.type("500g")
    program.shows(lambda rows: rows[0].startswith("line 500 of"))
    program.page.set_viewport_size({"width": 700, "height": 844})
    shell.shows(lambda rows: rows[0].startswith("line 500 of"))
    program.reloaded()
    program.page.set_viewport_size(NARROW)
    shell.type("/of a long file$\n")
    shell.type("77g")
    program.shows(lambda rows: rows[0].startswith("line 77 of"))
    picture(program.page, "console-less-narrow", tallest=0)
    shell.type("q")
    program.shows("$")


@pytest.mark.parametrize("program", [{"color_scheme": "dark"}], ids=["dark"], indirect=True)
def test_top_redraws_the_whole_screen(program):
    shell = program.shell
    shell.type("clear; top -d 2\n")
    program.shows("load average")
    program.resized()
    program.reloaded()
    drawn = shell.text
    program.shows(lambda rows: "top - " in rows[0] and "\n".join(rows) != drawn)
    picture(program.page, "console-top", tallest=0)
    shell.type("q")
    program.shows("$")


def test_python_keeps_its_variables(program):
    shell = program.shell
    shell.type("clear; python3 -q\n")
    program.shows(">>>")
    shell.type("answer = 6 * 7\n")
    program.resized()
    program.reloaded()
    shell.type("print('the answer', answer)\n")
    program.shows("the answer 42")
    picture(program.page, "console-python", tallest=0)
    shell.type("for n in range(3): print('wide', '宽' * n, '€', n)\n\n")
    program.shows("wide 宽宽 € 2")
    program.reloaded()


@pytest.mark.parametrize("program", [{}, {"color_scheme": "dark", "viewport": NARROW}], ids=["light", "narrow-dark"], indirect=True)
def test_claude_shows_its_first_screen(program):
    shell, size = program.shell, program.page.viewport_size
    shell.type("clear; claude\n")
    program.shows(lambda rows: any("Claude" in row for row in rows) and "$ clear" not in rows[0])
    frames: list[bytes] = []
    program.page.on(
        "websocket", lambda socket: socket.on("framereceived", lambda data: frames.append(data if isinstance(data, bytes) else b""))
    )
    program.reloaded()
    program.sized({"width": 700, "height": 844})
    program.reloaded()
    shell.press("ArrowDown")
    rule = len(shell.rows[1])
    program.sized(size)
    program.shows(lambda rows: len(rows[1]) != rule)  # it has drawn itself anew
    picture(program.page, "console-claude" if size == WIDE else "console-claude-narrow", tallest=0)
    seen = b"".join(frames)
    assert SYNCHRONIZED in seen
    assert OLD_FORM not in seen
