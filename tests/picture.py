"""One picture of a page into docs/screenshots/: all of it, and with no path of the machine that it was taken on."""

import re
import tempfile

from playwright.sync_api import Page

from tests.sandbox import ROOT

PLACE = ROOT / "docs" / "screenshots"
PATHS = {rf"{re.escape(tempfile.gettempdir())}/\S*?/(?=roots|data|home)": "/srv/", re.escape(str(ROOT)): "/opt/containerhub"}
NEUTRAL = """paths => {
    const neutral = text => Object.entries(paths).reduce((told, [path, other]) => told.replace(new RegExp(path, "g"), other), text);
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const told = neutral(texts.currentNode.data);
        if (told !== texts.currentNode.data) texts.currentNode.data = told;
    }
    for (const field of document.querySelectorAll("[placeholder]")) field.placeholder = neutral(field.placeholder);
}"""


def take(page: Page, name: str, *, tallest: int = 2400) -> None:
    """The window is made as high as the page first, up to `tallest`: what is fixed to its edges would else stand in the middle."""
    size = page.viewport_size or {"width": 1280, "height": 900}
    height = page.evaluate("Math.max(...[...document.querySelectorAll('html, main')].map(part => part.scrollHeight))")
    page.set_viewport_size({"width": size["width"], "height": max(min(height, tallest), size["height"])})
    page.evaluate(NEUTRAL, PATHS)
    PLACE.mkdir(exist_ok=True)
    page.screenshot(path=PLACE / f"{name}.png")
    page.set_viewport_size(size)
