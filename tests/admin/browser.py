"""A browser on the served admin: signed in, in light, dark or narrow, and axe's eyes on what it shows."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.sandbox import ROOT

CHROMIUM = "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "narrow": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PASSWORD = "correct horse battery"


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as driver:
        browser = driver.chromium.launch(args=ARGUMENTS, executable_path=CHROMIUM)
        try:
            yield browser
        finally:
            browser.close()


def enter(browser: Browser, address: str, name: str = "admin", *, state: Any = None, script: bool = True, **look: Any) -> Page:
    """A page of its own, signed in (with `state`: as the page that it came from is)."""
    context = browser.new_context(base_url=address, storage_state=state, java_script_enabled=script, **look)
    page = context.new_page()
    if state is None:
        page.goto("/accounts/login/")
        page.fill("input[name=login]", name)
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/")
    return page


def complaints_of(page: Page) -> list[str]:
    """What the page's policy refuses and what its scripts break on, as it comes.

    Chromium drops connections when a network interface comes or goes, as with each container: that is not the page's fault."""
    found: list[str] = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type == "error" and "ERR_NETWORK_CHANGED" not in said.text else None)
    return found


def choose(page: Page, action: str, slugs: list[str]) -> None:
    """Select rows of the list, choose the action, go."""
    for slug in slugs:
        page.locator("#result_list tr", has=page.locator(f"th a:text-is('{slug}')")).locator("input.action-select").check()
    page.select_option("select[name=action]", action)
    page.click(".actions button[type=submit]")


def violations(page: Page) -> dict[str, list[str]]:
    """Rule id -> what breaks it, on the page as it stands. Not bound by the page's policy: it comes through the debugger."""
    page.evaluate(AXE.read_text())
    found = page.evaluate("async () => JSON.stringify((await axe.run(document, {resultTypes: ['violations']})).violations)")
    return {rule["id"]: [node["html"][:200] for node in rule["nodes"]] for rule in json.loads(found)}
