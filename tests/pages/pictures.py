"""Pictures of the dashboard: the projects page and a project's pages, light and dark, wide and narrow, of the admin's furnished hub."""

from playwright.sync_api import Browser

from tests.admin.browser import enter
from tests.admin.hub import AdminHub
from tests.picture import PLACE
from tests.picture import take as picture

PAGES = {
    "projects": "/",
    "project": "/projects/atlas/",
    "project-logs": "/projects/atlas/logs/",
    "project-runs": "/projects/billing/runs/",
    "project-decisions": "/projects/atlas/decisions/",
    "project-events": "/projects/atlas/events/",
    "project-settings": "/projects/atlas/settings/",
}
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 390, "height": 844}}
HOUR = """
    import math, random
    from datetime import timedelta
    from django.utils import timezone
    from projects.models import Sample
    now, chance = timezone.now(), random.Random(7)
    for place, project in enumerate(Project.objects.exclude(docker_id="")):
        for minute in range(1, 60):
            wave = 40 + 30 * math.sin(minute / 7 + place) + chance.random() * 20
            Sample.objects.create(project=project, at=now - timedelta(minutes=minute), docker_id=project.docker_id[:12], cpu_percent=wave,
                cpu_seconds=minute, memory_mb=200 + 40 * place + wave, memory_percent=(200 + 40 * place + wave) / 81.92, disk_percent=38,
                layer_mb=120, pids=12, network_rx_mb=60 - minute, network_tx_mb=30 - minute / 2)
    from projects.models import Channel, Delivery
    atlas, told = Project.objects.get(slug="atlas"), {"subject": "hold", "message": "Left to people.", "event_kind": "health.hold"}
    for name, url, state in (("ops", "https://hooks.example.com/x", "delivered"), ("pager", "https://pager.example.com/x", "failed")):
        channel = Channel.objects.create(project=atlas, name=name, kind="webhook", target=url, secret="x", wants=["hold", "unhealthy"])
        error = "" if state == "delivered" else "It answered 502."
        Delivery.objects.create(channel=channel, state=state, error=error, event_at=now, finished_at=now, next_at=None, **told)
"""
"""An hour of readings, which nobody waits for here, and two channels of which one fails."""


def take(hub: AdminHub, browser: Browser) -> None:
    hub.box.python(HOUR)
    for width, size in SIZES.items():
        for scheme in ("light", "dark"):
            page = enter(browser, hub.address, viewport=size, color_scheme=scheme)
            for name, path in PAGES.items():
                page.goto(path)
                page.wait_for_timeout(1500)  # charts are drawn, and what is live has come
                picture(page, f"{name}-{scheme}-{width}")
            if width == "wide":
                page.goto("/projects/atlas/settings/")
                page.locator("#notifications").screenshot(path=PLACE / f"notifications-{scheme}.png")
            page.goto("/projects/atlas/")
            page.click("text=Refresh…")
            page.wait_for_selector("text=What is kept")
            picture(page, f"question-{scheme}-{width}", tallest=0)
            page.context.close()
            stranger = browser.new_context(base_url=hub.address, viewport=size, color_scheme=scheme)  # type: ignore[arg-type]
            page = stranger.new_page()
            page.goto("/accounts/login/")
            picture(page, f"sign-in-{scheme}-{width}")
            stranger.close()
