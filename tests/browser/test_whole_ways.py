"""Whole ways by clicks alone: from a hub with nothing to a running container, five at once, and in by a second factor."""

import re
from collections.abc import Iterator

import pytest
from allauth.mfa.totp.internal import auth as totp
from playwright.sync_api import Page, expect

from tests.browser.conftest import PASSWORD, Hub, Visitor, picture
from tests.processes.stack import Stack

pytestmark = pytest.mark.live

SLOW = 60_000
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


@pytest.fixture(scope="module")
def empty(tmp_path_factory) -> Iterator[Hub]:
    """A hub without a project, over a root that holds one repository."""
    stack = Stack(tmp_path_factory.mktemp("empty"), CONTAINERHUB_ADMIN_PASSWORD=PASSWORD)
    try:
        stack.start()
        stack.box.python('lifecycle.remove_project(project=Project.objects.get(slug="sample"), actor=ACTOR)')
        (stack.box.workspace("shop") / ".git").mkdir()
        yield Hub(stack, f"http://127.0.0.1:{stack.port}")
    finally:
        stack.clean()


@pytest.fixture
def visiting(empty, chromium) -> Iterator[Visitor]:
    visitor = Visitor(empty, chromium)
    yield visitor
    for context in visitor.contexts:
        context.close()
    assert visitor.complaints == []


def badge(page: Page, slug: str):
    return page.locator(f"#row-{slug} .badge")


def test_from_nothing_to_a_running_container_with_clicks_only(visiting):
    page = visiting.open("/")
    expect(page.get_by_role("heading", name="What is needed before the first container")).to_be_visible()
    picture(page, "first-run")
    page.locator("#beginning").get_by_role("link", name="New project").click()
    page.locator(".found a", has_text="shop").click()
    expect(page.locator("#slug")).to_have_text("Its short name will be shop.", timeout=SLOW)
    page.get_by_label("Make and start its container now").check()
    page.get_by_role("button", name="Make the project").click()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Projects").click()
    expect(badge(page, "shop")).to_contain_text("running", timeout=SLOW)


def test_five_are_ensured_at_once_with_a_result_for_each(visiting, empty):
    for slug in ("one", "two", "three", "four"):
        empty.stack.box.add_project(slug)
    page = visiting.open("/")
    page.get_by_label("Select all of this page").check()
    expect(page.locator("#selected")).to_have_text("5 selected")
    page.get_by_role("group", name="Actions on the selected projects").get_by_role("button", name="Ensure").click()
    expect(page).to_have_url(re.compile(r"/activity/batches/\d+/$"))
    expect(page.locator("#batch-items .badge.running")).to_have_count(5, timeout=SLOW * 2)
    picture(page, "batch-result")
    page.get_by_role("link", name="Back to the projects").click()
    for slug in ("shop", "one", "two", "three", "four"):
        expect(badge(page, slug)).to_contain_text("running", timeout=SLOW)


def test_a_second_factor_is_asked_for_and_opens(visiting, empty):
    empty.stack.box.python(f"""
        from allauth.mfa.adapter import get_adapter
        from allauth.mfa.models import Authenticator
        from django.contrib.auth import get_user_model
        otto = get_user_model().objects.create_user("otto", password={PASSWORD!r})
        Authenticator.objects.create(user=otto, type="totp", data={{"secret": get_adapter().encrypt({SECRET!r})}})
    """)
    context = visiting.chromium.new_context(base_url=empty.address)
    visiting.contexts.append(context)
    page = context.new_page()
    page.goto("/accounts/login/")
    page.fill("input[name=login]", "otto")
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/2fa/authenticate/**")
    page.goto("/")
    expect(page).to_have_url(re.compile("/accounts/(login|2fa/authenticate)/"))  # the password alone opens nothing
    page.goto("/accounts/2fa/authenticate/")
    code = totp.format_hotp_value(totp.hotp_value(SECRET, next(totp.yield_hotp_counters_from_time())))
    page.fill("input[name=code]", str(code))
    page.click("main button[type=submit]")
    page.wait_for_url("**/")
    expect(page.get_by_text("Sign out otto")).to_be_visible()
