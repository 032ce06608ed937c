"""Pictures of the admin and of the dashboard into docs/screenshots/, of a hub that is made on the way: see `python -m tests.pictures`."""

import shutil
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from tests.admin.browser import LOOKS, choose, chromium, enter
from tests.admin.hub import AdminHub
from tests.pages import pictures as pages
from tests.picture import take as picture
from tests.support import wait_until

PROJECTS = {
    "atlas": "Atlas, the map server",
    "billing": "Billing",
    "checkout": "Checkout",
    "docs": "Documentation",
    "ingest": "Ingest pipeline",
    "mobile": "Mobile app",
    "search": "Search",
    "website": "Website",
}
RUNNING = ["atlas", "billing", "checkout", "docs", "ingest", "search"]
PEOPLE = {"ada": ["atlas", "billing"], "grace": ["checkout", "docs", "ingest"], "linus": ["mobile", "search", "website"]}


def main() -> int:
    directory = Path(tempfile.mkdtemp(prefix="containerhub-pictures-"))
    hub = AdminHub(directory)
    try:
        hub.start()
        _furnish(hub)
        with chromium() as browser:
            for look in LOOKS:
                _take(hub, browser, look)
            pages.take(hub, browser)
    finally:
        hub.clean()
        shutil.rmtree(directory, ignore_errors=True)
    return 0


def _furnish(hub: AdminHub) -> None:
    """Containers in several states: running, busy, killed for want of memory, stopped, never made."""
    hub.fill(list(PROJECTS), **PROJECTS)
    hub.client(f"""
        make = get_user_model().objects.create_user
        for name, slugs in {PEOPLE!r}.items():
            user = make(name, is_staff=True)
            for slug in slugs:
                Membership.objects.create(project=Project.objects.get(slug=slug), user=user, role="owner")
        Project.objects.filter(slug="billing").update(pinned=True)
        Project.objects.filter(slug="website").update(uses_host_credentials=True)
        Project.objects.filter(slug="docs").update(memory_limit_mb=512)
        Project.objects.filter(slug="ingest").update(memory_limit_mb=64)
        sign_in("admin")
        act("ensure", {[*RUNNING, "mobile"]!r})
        act("stop", ["mobile"])
    """)
    _exhaust(hub, "ingest")
    wait_until(lambda: _seen(hub, "atlas") == ["running", "healthy"], 150, reason="its first health check is seen")


def _exhaust(hub: AdminHub, slug: str) -> None:
    """A command takes more memory than there is, and the container ends over it."""
    hub.client(f"""
        sign_in("admin")
        act("run_command", [{slug!r}], command="tail /dev/zero", workdir="/workspace", timeout_seconds=60)
    """)
    next(found for found in hub.box.containers() if found.name == f"{hub.box.prefix}-{slug}").kill("SIGKILL")
    wait_until(lambda: _seen(hub, slug)[0] == "exited", 90, reason="its end is seen")


def _seen(hub: AdminHub, slug: str) -> list[str]:
    """Its status and health, as last observed."""
    return list(hub.box.python(f"answer(Project.objects.values_list('status', 'health').get(slug={slug!r}))"))


def _take(hub: AdminHub, browser: Browser, look: str) -> None:
    page = enter(browser, hub.address, **LOOKS[look])
    page.goto("/admin/projects/project/")
    picture(page, f"admin-list-{look}")
    choose(page, "refresh", ["atlas", "billing", "mobile"])
    page.wait_for_selector("button.danger")
    picture(page, f"admin-confirm-{look}")
    page.click("text=Cancel")
    choose(page, "run_command", ["atlas", "billing", "checkout", "mobile"])
    page.fill("textarea[name=command]", "uname -sm && node --version")
    page.click("button.default")
    page.wait_for_selector("#batch:not([data-follow])", timeout=60_000)
    picture(page, f"admin-result-{look}")
    page.context.close()


if __name__ == "__main__":
    sys.exit(main())
