"""A hub that is really served, a container that really runs, and Debian's Chromium, which must have nothing to complain about."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Error, Page, Request, sync_playwright

from containerhub.bootstrap import claude_cli
from tests.picture import take
from tests.processes.stack import Stack
from tests.sandbox import ROOT

PASSWORD = "a password of the tests"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WIDE, NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
LEFT_EARLY = "WebSocket is closed before the connection is established"
"""Chromium says so of a page that is left before its socket is open."""
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Chromium drops connections when a network interface comes or goes, as with each container: that is not the page's fault."""
HEARD = """
    window.heard = []; const Native = WebSocket;
    window.WebSocket = class extends Native {
        constructor(...all) { super(...all); super.addEventListener("message", ({data}) => this.kept("<", data)); }
        send(data) { this.kept(">", data); super.send(data); }
        kept(way, data) {
            if (!this.url.includes("/terminal/")) return;
            heard.push(`${way} ${typeof data === "string" ? data : new TextDecoder().decode(data.slice(0, 400))}`);
            if (heard.length > 30) heard.shift();
        }
    };
"""
"""The last messages of a page's terminals, told where a screen is not as it should be."""
VIOLATIONS = "addEventListener('securitypolicyviolation', e => console.error(`CSP ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))"


@dataclass
class Hub:
    """The served hub: its sample project's container runs; `admin` is an administrator, `vera` a viewer of it."""

    stack: Stack
    address: str
    states: dict[str, Any] = field(default_factory=dict)

    def execute(self, command: str) -> str:
        """In the container, past the hub."""
        (container,) = self.stack.box.containers()
        return str(container.exec_run(["bash", "-c", command], user="claude").output.decode())

    def session(self, name: str) -> list[str]:
        """The rows of a terminal's session, as tmux holds them."""
        return [row.rstrip() for row in self.execute(f"tmux -L hub capture-pane -p -t ={name}:").removesuffix("\n").split("\n")]

    def touch(self, path: str) -> None:
        self.execute(f"touch {path}")


@pytest.fixture(scope="package")
def hub(tmp_path_factory) -> Iterator[Hub]:
    cli = os.environ.get(claude_cli.VARIABLE) or shutil.which("claude")
    assert cli, "there is no Claude CLI: make test installs one"
    stack = Stack(tmp_path_factory.mktemp("hub"), CONTAINERHUB_ADMIN_PASSWORD=PASSWORD, CONTAINERHUB_CLAUDE_CLI_PATH=cli)
    try:
        stack.start()
        stack.box.python(f"""
            from django.contrib.auth import get_user_model
            from projects.states import Role
            vera = get_user_model().objects.create_user("vera", password={PASSWORD!r})
            Membership.objects.create(project=Project.objects.get(slug="sample"), user=vera, role=Role.VIEWER)
        """)
        yield Hub(stack, f"http://127.0.0.1:{stack.port}")
    finally:
        stack.clean()


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


class Visitor:
    """Opens pages as one user, and hears what the browser complains of."""

    def __init__(self, hub: Hub, chromium: Browser) -> None:
        self.hub, self.chromium = hub, chromium
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def context(self, user: str = "admin", **options: Any) -> BrowserContext:
        if user not in self.hub.states:
            self.hub.states[user] = self._sign_in(user)
        context = self.chromium.new_context(base_url=self.hub.address, storage_state=self.hub.states[user], **{"viewport": WIDE, **options})
        self.contexts.append(context)
        context.add_init_script(f"(() => {{{HEARD}}})(); {VIOLATIONS}")
        context.on("page", self._listen)
        return context

    def open(self, path: str, user: str = "admin", **options: Any) -> Page:
        """Loaded as a whole: again where Chromium dropped some of it."""
        page = self.context(user, **options).new_page()
        dropped: list[str] = []
        page.on("requestfailed", lambda request: dropped.append(request.url) if NETWORK_CHANGED in (request.failure or "") else None)
        for _ in range(5):
            dropped.clear()
            with suppress(Error):  # the page itself was dropped
                page.goto(path)
            if not dropped:
                break
        return page

    def console(self, user: str = "admin", rest: str = "", **options: Any) -> Page:
        return self.open(f"/projects/sample/console/{rest}", user, **options)

    def _listen(self, page: Page) -> None:
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"{error.name}: {error.message}\n{error.stack}"))
        page.on("request", self._asked)
        page.on("websocket", lambda socket: socket.on("close", lambda closed: print("closed:", closed.url)))  # shown with a failure

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not any(words in message.text for words in (NETWORK_CHANGED, LEFT_EARLY)):
            self.complaints.append(f"{message.type}: {message.text}")

    def _asked(self, request: Request) -> None:
        place = urlsplit(request.url)
        if place.scheme in ("http", "https", "ws", "wss") and place.netloc != urlsplit(self.hub.address).netloc:
            self.complaints.append(f"asked of another host: {request.url}")

    def _sign_in(self, user: str) -> Any:
        context = self.chromium.new_context(base_url=self.hub.address)
        page = context.new_page()
        page.goto("/accounts/login/")
        page.fill("input[name=login]", user)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/")
        state = context.storage_state()
        context.close()
        return state


@pytest.fixture
def visitor(hub: Hub, chromium: Browser) -> Iterator[Visitor]:
    """No error on the browser's console, nothing against the policy, no other host: in every test."""
    visiting = Visitor(hub, chromium)
    yield visiting
    for context in visiting.contexts:
        context.close()
    assert visiting.complaints == []


def picture(page: Page, name: str, **how: Any) -> None:
    """Into docs/screenshots/, only with PICTURES=1 in the environment: a test run leaves the checkout as it is."""
    if os.environ.get("PICTURES") == "1":
        take(page, name, **how)


def axe(page: Page) -> list[str]:
    """What axe-core finds, one line each."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [f"{v['id']}: {v['help']}: {[n['html'][:160] for n in v['nodes'][:3]]}" for v in found["violations"]]
