"""The hub's own pages in a real browser, on the real stack: images, activity, account, new project, system."""

import os
import re
import subprocess
from collections.abc import Iterator

import docker
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NARROW, WIDE, Visitor, axe, picture
from tests.gitserver import GitServer

pytestmark = [pytest.mark.live, pytest.mark.browser]
SLOW = 60_000
GIT_TOKEN = "a-token-for-the-clone"
PAGES = {
    "images": "/images/",
    "activity": "/activity/",
    "activity-batches": "/activity/batches/",
    "account": "/account/",
    "new-project": "/projects/new/",
    "new-clone": "/projects/new/?from=git",
    "clone": "/projects/new/clones/1/",
    "system": "/system/",
    "system-cleanup": "/system/cleanup/",
    "system-doctor": "/system/doctor/",
}
SEED = """
    from projects.models import Batch, BatchItem, Clone, ImageBuild
    from projects.services.record import Actor, record
    from projects.states import BatchAction, BuildState, CloneState
    from django.contrib.auth import get_user_model
    from django.utils import timezone
    from projects.services.tokens import make_token
    admin, now, sample = get_user_model().objects.get(username="admin"), timezone.now(), Project.objects.get(slug="sample")
    for place in ("website", "notes"):
        (settings.CONTAINERHUB.workspace_roots[0] / place / ".git").mkdir(parents=True)
    ImageBuild.objects.create(tag="claude-dev-base:latest", actor_name="admin", state=BuildState.FAILED, finished_at=now, step=4, steps=24,
        message="The build failed at step 4 of 24 (RUN apt-get update): the archive did not answer.")
    batch = Batch.objects.create(action=BatchAction.RESTART, actor=admin, actor_name="admin", finished_at=now)
    BatchItem.objects.create(batch=batch, project=sample, project_slug="sample", position=0, state="done", finished_at=now)
    Clone.objects.create(url="https://git.example.com/team/site.git", name="site", path="/srv/projects/site", actor=admin,
        actor_name="admin", state=CloneState.FAILED, output="Cloning into '/workspace'...", finished_at=now,
        message="git could not clone it: see that the address is right.")
    Container.objects.update(image_id="sha256:an-older-one")
    make_token(user=admin, name="deployment from the laptop", actor=Actor.of(admin))
"""


@pytest.fixture(scope="module", autouse=True)
def seeded(hub):
    hub.stack.box.python(SEED)


@pytest.mark.parametrize("name", PAGES)
def test_each_page_is_usable_by_everybody_light_and_dark_wide_and_narrow(visitor: Visitor, name: str):
    page = visitor.open(PAGES[name])
    expect(page.locator("h1")).to_be_visible()
    for width, size in (("wide", WIDE), ("narrow", NARROW)):
        for scheme in ("light", "dark"):
            page.set_viewport_size(size)  # type: ignore[arg-type]
            page.emulate_media(color_scheme=scheme)
            assert axe(page) == [], (width, scheme)
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width}: it scrolls sideways"
            picture(page, f"{name}-{scheme}-{width}")


def test_a_build_goes_on_while_one_is_away_others_see_it_and_it_is_cancelled(visitor: Visitor):
    other = visitor.open("/images/")
    expect(other.locator("#live-mark")).to_have_text("Live", timeout=SLOW)
    page = visitor.open("/images/")
    page.check("input[name=no_cache]")
    page.click("#images-base button:has-text('Build')")
    expect(page.locator("#build .log")).to_contain_text("Step 2/", timeout=SLOW)
    expect(other.locator("#images-base")).to_contain_text("It is being built", timeout=SLOW)
    address = page.url
    page.goto("/images/")
    expect(page.locator("#images-base")).to_contain_text("It is being built", timeout=SLOW)
    expect(page.locator("#images-base button:has-text('Build')")).to_be_disabled()
    page.click("#images-base a:has-text('Follow it')")
    assert page.url == address
    before = len(page.locator("#build .log").inner_text())
    page.wait_for_function("before => document.querySelector('#build .log').innerText.length > before", arg=before, timeout=SLOW)
    assert axe(page) == []
    picture(page, "images-build")
    page.click("button:has-text('Cancel the build')")
    expect(page.locator("#build")).to_contain_text("admin cancelled it", timeout=SLOW)
    expect(page.locator("#build button:has-text('Build again')")).to_be_visible()
    expect(other.locator("#images-builds tbody tr").first).to_contain_text("cancelled", timeout=SLOW)
    expect(other.locator("#images-base button:has-text('Build')")).to_be_enabled()


def test_a_token_is_shown_once(visitor: Visitor):
    page = visitor.open("/account/")
    page.fill("#token-name", "robot")
    page.click("button:has-text('Make a token')")
    key = page.locator("#new-key").input_value()
    assert key.startswith("hub_")
    assert axe(page) == []
    page.click("#new-token button:has-text('Copy')")
    expect(page.locator("#messages")).to_contain_text("Copied.")
    page.reload()
    expect(page.locator("#tokens")).to_contain_text("robot")
    assert key not in page.content()
    page.click("button:has-text('Revoke robot')")
    expect(page.locator("#messages")).to_contain_text("opens nothing any more")


def test_a_theme_is_chosen_kept_and_the_admins_too(visitor: Visitor):
    page = visitor.open("/account/", color_scheme="light")
    page.get_by_label("Dark").check()
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    expect(page.get_by_label("Dark")).to_be_checked()
    assert page.evaluate("[getComputedStyle(document.body).backgroundColor, localStorage.theme]") == [colour, "dark"]
    page.goto("/admin/")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.goto("/account/")
    page.get_by_label("As the system has it").check()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != colour


def test_a_clean_up_is_shown_and_asked_for_with_cancel_in_focus(visitor: Visitor):
    page = visitor.open("/system/cleanup/")
    expect(page.locator("#every li")).to_have_count(1)
    page.click("#every ~ button")
    expect(page.locator("h1")).to_have_text("Stop and remove these containers?")
    expect(page.locator("#question-page")).to_contain_text("-sample")
    expect(page.locator(":focus")).to_have_text("Cancel")
    assert axe(page) == []
    picture(page, "system-cleanup-question")
    page.keyboard.press("Enter")
    expect(page.locator("#every li")).to_have_count(1)


def test_a_path_is_judged_as_it_is_typed_and_makes_a_project(visitor: Visitor):
    page = visitor.open("/projects/new/")
    page.fill("#path", "/etc")
    expect(page.locator("#path-says")).to_contain_text("not below a workspace root", timeout=SLOW)
    page.click(".found a:has-text('website')")
    expect(page.locator("#path-says")).to_contain_text(re.compile("can be a workspace|belongs to root"), timeout=SLOW)
    expect(page.locator("#slug")).to_have_text("Its short name will be website.")
    assert axe(page) == []
    page.uncheck("input[name=ensure]")
    page.click("button:has-text('Make the project')")
    expect(page.locator("#messages")).to_contain_text("The project website was made")


@pytest.fixture
def server(hub, tmp_path) -> Iterator[GitServer]:
    """A git server that containers reach, with one commit in `library`; the hub's host trusts it."""
    gateway = docker.from_env().networks.get(f"{hub.stack.box.prefix}-net").attrs["IPAM"]["Config"][0]["Gateway"]
    made = GitServer(tmp_path / "git", address=gateway, username="x-access-token", token=GIT_TOKEN)
    made.start()
    made.add_repository("library")
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null"}
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-C", str(tmp_path / "work")]
    subprocess.run(["git", "init", "-q", "-b", "main", str(tmp_path / "work")], check=True, env=environment)
    for words in (["commit", "-qm", "First", "--allow-empty"], ["push", "-q", f"{made.directory}/repositories/library.git", "main"]):
        subprocess.run([*git, *words], check=True, env=environment)
    (hub.stack.box.home / ".gitconfig").write_text(f'[http "https://{made.host}/"]\n\tsslVerify = false\n')
    yield made
    made.stop()


def test_a_repository_is_cloned_by_the_worker_while_one_is_away(visitor: Visitor, server: GitServer):
    page = visitor.open("/projects/new/?from=git")
    page.fill("#url", f"https://{server.host}/library.git")
    page.fill("#token", "a wrong one")
    page.uncheck("input[name=ensure]")
    page.click("button:has-text('Clone and make the project')")
    expect(page.locator("#clone")).to_contain_text("git could not clone", timeout=SLOW)
    page.click("a:has-text('Try again')")
    expect(page.locator("#name")).to_have_value("library")
    page.fill("#token", GIT_TOKEN)
    page.uncheck("input[name=ensure]")
    page.click("button:has-text('Clone and make the project')")
    page.wait_for_url(re.compile(r"/projects/new/clones/\d+/"))  # else the next page may be there before this one was asked for
    address = page.url
    page.goto("/activity/")
    expect(page.locator("#activity-events")).to_contain_text("is finished: The project library was made", timeout=SLOW)
    page.goto(address)
    expect(page.locator("#clone")).to_contain_text("Cloning into '/workspace'")
    expect(page.locator("a:has-text('Open library')")).to_be_visible()
    assert GIT_TOKEN not in page.content()


def test_what_happens_appears_by_itself_and_is_found_by_words(visitor: Visitor):
    page = visitor.open("/activity/")
    expect(page.locator("#live-mark")).to_have_text("Live", timeout=SLOW)
    visitor.hub.stack.box.python("""
        from projects.services.record import HUB, record
        record("test.said", actor=HUB, message="A word from another process.", slug="sample", answer=42)
    """)
    row = page.locator("#activity-events tr:has-text('A word from another process.')")
    expect(row).to_be_visible(timeout=SLOW)
    row.locator("summary").click()
    expect(row).to_contain_text('"answer": 42')
    visitor.hub.stack.box.python("""
        from projects.services.record import HUB, record
        record("test.said", actor=HUB, message="And one more.", slug="sample")
    """)
    expect(page.locator("#activity-events tr:has-text('And one more.')")).to_be_visible(timeout=SLOW)
    expect(row.locator("pre")).to_be_visible()
    page.fill("#words", "another word")
    page.keyboard.press("Enter")
    expect(page.locator("#activity-events tbody tr")).to_have_count(1)
    assert "words=another+word" in page.url


def test_a_viewer_sees_no_button_that_he_may_not_use(visitor: Visitor):
    page = visitor.open("/images/", "vera")
    expect(page.locator("#images-base button:has-text('Build')")).to_be_disabled()
    expect(page.locator("nav [data-place=system]")).to_have_count(0)
    page.goto("/projects/new/")
    expect(page.locator("#why-not")).to_be_visible()
    expect(page.locator("main form")).to_have_count(0)
    assert axe(page) == []
