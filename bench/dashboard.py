"""The dashboard: the projects page over a thousand projects, from an Engine's event to the changed pixel, and what a page weighs."""

import contextlib
import os
import shutil
import signal
import statistics
import subprocess
import sys
import time
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker

from bench.figures import Figure, ms, percentile, tell
from bench.measure import timed
from bench.places import free_port

PROJECTS, SAMPLES = 1000, 60
PASSWORD = "a password of the bench"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
READY_SECONDS = 90
WATCH = """
window.changes = [];
window.seen = 0;
new MutationObserver(() => {
  const words = document.querySelector("#row-sample .badge")?.textContent ?? "";
  if (words !== window.changes.at(-1)?.[0]) window.changes.push([words, Date.now() / 1000]);
}).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
"""


def run(directory: Path, *, quick: bool) -> list[Figure]:
    """Figures of the page in this process and of a hub that is served. Raises when the hub does not come up."""
    return [_page(rounds=5 if quick else 25), *_served(directory / "dashboard", rounds=4 if quick else 20)]


def _page(*, rounds: int) -> Figure:
    """In this process, its database and its templates; sign-in and middleware included."""
    from django.contrib.auth import get_user_model
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    call_command("collectstatic", interactive=False, verbosity=0)
    tell(f"Making {PROJECTS} projects with {SAMPLES} samples each")
    _fill()
    client = Client(headers={"host": "127.0.0.1"})
    client.force_login(get_user_model().objects.create_superuser("bench-admin"), backend="django.contrib.auth.backends.ModelBackend")

    def look() -> None:
        answer = client.get("/")
        assert answer.status_code == 200, answer.content[:500]

    look()
    median = statistics.median(timed(look) for _ in range(rounds))
    with CaptureQueriesContext(connection) as queries:
        look()
    return Figure(f"projects page, {PROJECTS} projects", ms(median), f"{len(queries)} queries", "under 150 ms", median < 0.15)


def _fill() -> None:
    from django.utils import timezone

    from projects.models import Project, Sample
    from projects.states import Health, Status, Wanted

    running = {"status": Status.RUNNING, "health": Health.HEALTHY, "wanted": Wanted.RUNNING}
    Project.objects.bulk_create(
        Project(slug=f"bench-{n}", name=f"Project {n}", path=f"/bench/{n}", docker_id=f"{n:064d}", **running) for n in range(PROJECTS)
    )
    now = timezone.now()
    usage: dict[str, Any] = {"cpu_percent": 12.5, "memory_mb": 300, "pids": 9, "network_rx_mb": 1, "network_tx_mb": 1}
    Sample.objects.bulk_create(
        (
            Sample(project=project, at=now - timedelta(minutes=minute), docker_id=project.docker_id[:12], **usage)
            for project in Project.objects.filter(slug__startswith="bench-")
            for minute in range(SAMPLES)
        ),
        batch_size=2000,
    )


def _served(directory: Path, *, rounds: int) -> list[Figure]:
    from playwright.sync_api import sync_playwright

    with _hub(directory) as (address, container), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        page = browser.new_page(base_url=address)
        page.goto("/accounts/login/")
        page.fill("input[name=login]", "admin")
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit]")
        page.wait_for_url("**/")
        page.wait_for_selector("#live-mark.on")
        weight = _weight(browser, page)
        page.evaluate(WATCH)
        delays = [_delay(page, container, turn % 2 == 0) for turn in range(rounds)]
        browser.close()
    p50, p95 = percentile(delays, 50), percentile(delays, 95)
    return [
        Figure("engine event to changed pixel, p50", ms(p50), f"{rounds} stops and starts", "under 1 s", p50 < 1),
        Figure("engine event to changed pixel, p95", ms(p95), "", "under 1 s", p95 < 1),
        Figure("projects page, all it loads, compressed", f"{weight / 1000:.0f} kB", "", "under 200 kB", weight < 200_000),
    ]


def _delay(page: Any, container: Any, stop: bool) -> float:
    """From the call to the Engine (so it is a little more than from the event) to the row that says so."""
    wanted = "Exited" if stop else "running"
    began = time.time()
    container.kill() if stop else container.start()
    page.wait_for_function("words => window.changes.at(-1)?.[0].includes(words)", arg=wanted, timeout=30_000)
    seconds: float = (
        page.evaluate("words => window.changes.find(([said, at], n) => n >= window.seen && said.includes(words))[1]", arg=wanted) - began
    )
    page.evaluate("window.seen = window.changes.length")
    time.sleep(1)  # the next change is one of its own
    return seconds


def _weight(browser: Any, page: Any) -> int:
    """Bytes over the wire of a first visit, headers left out."""
    context = browser.new_context(storage_state=page.context.storage_state())
    fresh = context.new_page()
    session = context.new_cdp_session(fresh)
    session.send("Network.enable")
    sizes: list[float] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    fresh.goto(page.url)
    fresh.wait_for_load_state("networkidle")
    context.close()
    return int(sum(sizes))


@contextlib.contextmanager
def _hub(directory: Path) -> Iterator[tuple[str, Any]]:
    """A whole hub of its own with its sample project's container, gone afterwards."""
    directory.mkdir()
    port, prefix = free_port(), f"bench{uuid.uuid4().hex[:6]}"
    own = {
        "CONTAINERHUB_DATA_DIR": f"{directory}/data",
        "CONTAINERHUB_WORKSPACE_ROOTS": f"{directory}/roots",
        "CONTAINERHUB_NAME_PREFIX": prefix,
        "CONTAINERHUB_PORT": str(port),
        "CONTAINERHUB_ADMIN_PASSWORD": PASSWORD,
        "CONTAINERHUB_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    Path(f"{directory}/data").mkdir(mode=0o700)
    with Path(f"{directory}/up.log").open("wb") as log:
        up = subprocess.Popen([sys.executable, "manage.py", "up"], env={**os.environ, **own}, stdout=log, stderr=log, process_group=0)
    client = docker.from_env()
    try:
        _wait(port)
        (container,) = client.containers.list(filters={"name": f"{prefix}-sample"})
        yield f"http://127.0.0.1:{port}", container
    finally:
        up.send_signal(signal.SIGTERM)
        up.wait(30)
        for left in client.containers.list(all=True, filters={"name": f"{prefix}-"}):
            left.remove(force=True)
        for network in client.networks.list(names=[prefix]):
            network.remove()


def _wait(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2):
            return
        time.sleep(0.3)
    raise RuntimeError(f"The hub of the bench was not ready after {READY_SECONDS} s.")
