"""A project's pages in a real browser, on the real stack: charts that move, a log that is followed, and a stop that asks first."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NARROW, WIDE, Visitor, axe
from tests.support import wait_until

pytestmark = [pytest.mark.live, pytest.mark.browser]
SECONDS = 40
SLOW = SECONDS * 1000
PLACES = ("", "logs/", "runs/", "decisions/", "events/", "settings/")


@pytest.fixture(scope="module", autouse=True)
def running(hub) -> Iterator[None]:
    """Whatever another module left: the container runs, and has printed something."""
    (container,) = hub.stack.box.containers()
    container.start()
    printed(hub, "for number in $(seq 1 60); do echo line $number of the log; done")
    expect.set_options(timeout=SLOW)  # several hubs may run on this machine at once
    yield
    expect.set_options(timeout=5000)
    container.start()


def printed(hub, command: str) -> None:
    """As the container's own process prints it."""
    (container,) = hub.stack.box.containers()
    code, output = container.exec_run(["bash", "-c", f"{{ {command}; }} > /proc/1/fd/1"], user="claude")
    assert code == 0, output


def ready(page: Page) -> Page:
    """Its websocket stands: left before, Chromium complains."""
    expect(page.locator("#live-mark")).to_have_text("Live")
    return page


def drawn(page: Page) -> Page:
    ready(page)
    expect(page.locator("#charts canvas")).to_have_count(4)
    expect(page.locator("#usage-live")).to_have_text("Each second")
    return page


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
def test_axe_finds_nothing_on_any_page(visitor: Visitor, scheme, size):
    page = ready(visitor.open("/projects/sample/", color_scheme=scheme, viewport=size))
    for place in PLACES:
        page.goto(f"/projects/sample/{place}")
        ready(page) if place else drawn(page)
        assert axe(page) == [], place
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{place or 'the overview'} scrolls sideways"


def test_what_it_uses_is_drawn_and_told_each_second(visitor):
    page = drawn(visitor.open("/projects/sample/?range=15m"))
    expect(page.locator("[data-measure=cpu] [data-now]")).to_have_text(re.compile(r"^\d+ %$"))
    now = page.locator("[data-measure=pids] [data-now]")
    before = int(now.inner_text())
    visitor.hub.execute("for each in 1 2 3 4 5 6 7 8 9; do sleep 4711 & done > /dev/null 2>&1")
    try:
        wait_until(lambda: int(now.inner_text()) >= before + 9, SECONDS)
        page.click("#processes-show")
        expect(page.locator("#processes tbody")).to_contain_text("sleep 4711")
        page.click("#processes-show")
    finally:
        visitor.hub.execute("pkill -f 'sleep 4711'")
    page.click("nav.ranges >> text=24 hours")
    page.wait_for_url("**/?range=24h#usage")
    drawn(page)


def test_a_log_is_followed_until_one_scrolls_up(visitor):
    page = ready(visitor.open("/projects/sample/logs/"))
    log, more = page.locator("#log"), page.locator("#new-lines")
    expect(log).to_contain_text("line 60 of the log")
    printed(visitor.hub, "echo -e 'a \\033[31mred\\033[0m word'")
    expect(log.locator(".line").last).to_contain_text("a red word")
    assert log.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight < 24")
    assert log.locator(".line", has_text="line 60 of").count() == 1
    log.evaluate("e => { e.scrollTop = 0 }")
    printed(visitor.hub, "seq -f 'late %g' 1 12")
    expect(more).to_have_text("12 new lines")
    assert log.evaluate("e => e.scrollTop") == 0
    more.click()
    expect(more).to_be_hidden()
    assert log.evaluate("e => e.scrollHeight - e.scrollTop - e.clientHeight < 24")
    page.fill("#q", "LATE 1")
    expect(log.locator("mark")).to_have_text(["late 1", "late 1", "late 1", "late 1"])
    expect(page.locator("#logs-status")).to_contain_text("4 of")
    page.check("#stamps")
    expect(log.locator(".stamp").last).to_be_visible()
    with page.expect_download() as download:
        page.click("#download")
    assert "late 12" in download.value.path().read_text()


def test_stop_asks_first_and_the_page_shows_it_without_a_reload(visitor):
    page = drawn(visitor.open("/projects/sample/"))
    watched = ready(visitor.open("/projects/sample/", "vera"))
    expect(watched.locator("#container button[disabled]")).to_have_count(4)
    expect(watched.locator("#container")).to_contain_text("needs the operator role")
    page.click("text=Stop…")
    question = page.locator("#question-dialog")
    expect(question).to_contain_text("Stop Sample?")
    expect(question).to_contain_text("Whatever runs in it")
    expect(question.locator("text=Cancel")).to_be_focused()
    assert axe(page) == []
    page.keyboard.press("Enter")
    expect(question).to_be_hidden()
    (container,) = visitor.hub.stack.box.containers()
    assert container.status == "running"
    page.click("text=Stop…")
    question.locator("button.danger").click()
    for seen in (page, watched):
        expect(seen.locator("#project-state")).to_contain_text("Exited")
        expect(seen.locator("#usage-live")).to_have_text("It does not run")
    page.click("#container >> text=Start")
    expect(watched.locator("#project-state")).to_contain_text("running")
    wait_until(lambda: visitor.hub.stack.box.containers()[0].status == "running", SECONDS)
    drawn(page)


def test_without_a_script_the_same_question_is_a_page(visitor):
    page = visitor.open("/projects/sample/", java_script_enabled=False)
    page.click("text=Refresh…")
    expect(page.locator("h1")).to_have_text("Refresh Sample?")
    page.click("text=Cancel")
    page.wait_for_url("**/projects/sample/")
    page.click("#processes-show")
    expect(page.locator("#processes tbody tr").first).to_be_visible()
    page.goto("/projects/sample/logs/?q=line+60")
    expect(page.locator("#log mark")).to_have_text(["line 60"])
    page.goto("/projects/sample/settings/")
    page.click("text=Remove project…")
    expect(page.locator("h1")).to_have_text("Remove the project Sample (sample)?")


def test_settings_secrets_and_keys_by_clicks(visitor):
    page = ready(visitor.open("/projects/sample/settings/"))
    page.fill("#secret-name", "BROWSER_WORD")
    page.fill("#secret-value", "not to be seen again")
    page.click("text=Set secret")
    expect(page.locator("#secrets")).to_contain_text("BROWSER_WORD")
    ready(page)
    assert "not to be seen again" not in page.content()
    page.click("[aria-label='Remove the secret BROWSER_WORD']")
    question = page.locator("#question-dialog")
    expect(question).to_contain_text("Remove the secret BROWSER_WORD of Sample?")
    question.locator("button.danger").click()
    expect(page.locator("#messages")).to_contain_text("The secret BROWSER_WORD is removed.")
    ready(page)
    page.click("text=Make a deploy key")
    expect(page.locator("#deploy-key code").first).to_contain_text("ssh-ed25519 ")
    ready(page)
    page.click("#deploy-key >> text=Remove…")
    question.locator("button.danger").click()
    expect(page.locator("#messages")).to_contain_text("The deploy key is removed")
    ready(page)
    page.fill("#channel-name", "ops")
    page.fill("#channel-target", "https://hooks.example.com/not-to-be-seen")
    page.uncheck("[name=wants][value=refresh]")
    page.click("text=Add channel")
    expect(page.locator("#new-secret")).to_have_value(re.compile("^whsec_"))
    expect(page.locator("#notifications tbody")).to_contain_text("hold, unhealthy, waiting")
    assert "not-to-be-seen" not in page.content()
    ready(page)
    page.click("[aria-label='Remove the channel ops']")
    question.locator("button.danger").click()
    expect(page.locator("#messages")).to_contain_text("The channel ops is removed")
    ready(page)
    page.fill("#id_memory_limit_mb", "1024")
    page.click("#settings >> text=Save")
    expect(page.locator("main")).to_contain_text("The container was made with another memory limit")
    ready(page)
    page.fill("#id_memory_limit_mb", "8192")
    page.click("#settings >> text=Save")
    expect(page.locator("#messages")).to_contain_text("Saved.")
    expect(page.locator("main")).not_to_contain_text("made with another")
    ready(page)
