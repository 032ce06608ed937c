"""The projects page in a real browser, on a real hub: it is live, and its buttons do what they say."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, axe

pytestmark = pytest.mark.live


def status(page: Page) -> str:
    return page.locator("#row-sample .badge").inner_text()


def container(hub):
    (found,) = [box for box in hub.stack.box.containers() if box.name.endswith("-sample")]
    return found


def test_an_outside_stop_shows_by_itself_and_a_click_brings_it_back(hub, visitor):
    page = visitor.open("/")
    expect(page.locator("#live-mark")).to_have_text("Live", timeout=20_000)
    expect(page.locator("#row-sample .badge")).to_contain_text("running", timeout=20_000)
    page.evaluate("window.notReloaded = true")
    container(hub).stop(timeout=1)
    expect(page.locator("#row-sample .badge")).to_contain_text("Exited", timeout=10_000)
    assert page.evaluate("window.notReloaded")
    page.get_by_role("button", name="Ensure that the container of Sample runs").click()
    expect(page.locator("#row-sample .badge")).to_contain_text("running", timeout=30_000)


def test_a_stop_asks_first_and_cancel_has_the_focus(hub, visitor):
    page = visitor.open("/")
    page.get_by_role("button", name="Stop Sample").click()
    expect(page.get_by_role("heading", name="What is lost")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"/$"))
    assert container(hub).status == "running"


def test_what_is_chosen_stays_chosen_while_rows_change(hub, visitor):
    page = visitor.open("/")
    expect(page.locator("#live-mark")).to_have_text("Live", timeout=20_000)
    page.get_by_label("Select Sample").check()
    expect(page.locator("#selected")).to_have_text("1 selected")
    hub.stack.box.python('Project.objects.filter(slug="sample").update(last_error="A word of the test.")')
    expect(page.locator("#row-sample")).to_contain_text("A word of the test.", timeout=15_000)
    expect(page.get_by_label("Select Sample")).to_be_checked()
    hub.stack.box.python('Project.objects.filter(slug="sample").update(last_error="")')


@pytest.mark.parametrize("late", ["htmx.", "htmx-ws.", "live."])
def test_a_page_is_live_whichever_of_its_scripts_comes_last(visitor, late):
    page = visitor.open("/images/")

    def held_up(route):
        time.sleep(0.5)
        route.continue_()

    page.route(re.compile(rf"/{re.escape(late)}[0-9a-f]*\.?js"), held_up)
    page.reload()
    expect(page.locator("#live-mark")).to_have_text("Live", timeout=20_000)


def test_the_list_is_found_as_one_types_and_goes_on_live(hub, visitor):
    page = visitor.open("/")
    page.keyboard.press("/")
    page.keyboard.type("nothing of the kind")
    expect(page.get_by_text("No project matches.")).to_be_visible()
    page.get_by_label("Search projects").fill("sam")
    expect(page.locator("#row-sample")).to_be_visible()
    expect(page).to_have_url(re.compile(r"\?q=sam$"))
    expect(page.locator("#live-mark")).to_have_text("Live", timeout=20_000)


def test_a_viewer_sees_no_button_that_works(hub, visitor):
    page = visitor.open("/", "vera")
    buttons = page.locator("#row-sample button")
    expect(buttons).to_have_count(1)
    expect(buttons).to_be_disabled()
    assert "operator role" in (buttons.get_attribute("aria-label") or "")


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_hinders(hub, visitor, size, scheme):
    page = visitor.open("/", viewport=size, color_scheme=scheme)
    expect(page.locator("#row-sample")).to_be_visible()
    assert axe(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
