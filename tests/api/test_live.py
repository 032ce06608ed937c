"""The API as it is served: uvicorn, a database file, the real Engine, and a browser for its documentation."""

import os
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from playwright.sync_api import sync_playwright

from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = pytest.mark.live
PASSWORD = "correct horse battery"
CHROMIUM = "/usr/bin/chromium"


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """The address of a served hub with an administrator and one project, and a client with his token."""
    box = Sandbox(tmp_path_factory.mktemp("hub"))
    box.migrate()
    box.manage("collectstatic", "--noinput", "--verbosity=0")
    box.add_project("web")
    key = box.python(f"""
        from django.contrib.auth import get_user_model
        from projects.services.tokens import make_token
        user = get_user_model().objects.create_superuser("admin", password={PASSWORD!r})
        answer(make_token(user=user, name="live", actor=Actor.of(user))[1])
    """)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = open(box.directory / "web.log", "wb")  # noqa: SIM115 - the server writes to it until the end
    command = [sys.executable, "-m", "uvicorn", "containerhub.asgi:application", "--port", str(port), "--lifespan", "off"]
    server = subprocess.Popen(command, env={**box.environment, "CONTAINERHUB_PORT": str(port)}, stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"Authorization": f"Bearer {key}"}, timeout=120)
    try:
        wait_until(lambda: _answers(client), 60, reason="the hub serves")
        yield client
    finally:
        client.close()
        server.terminate()
        server.wait(20)
        log.close()
        box.clean()


def _answers(client):
    try:
        return client.get("/api/projects").status_code == 200
    except httpx.TransportError:
        return False


def test_the_life_of_a_container_over_http(hub):
    ensured = hub.post("/api/projects/web/ensure-container")
    assert ensured.status_code == 200, ensured.text
    container_id = ensured.json()["container_id"]
    shown = hub.get("/api/projects/web/container").json()
    assert (shown["container_id"], shown["status"], shown["limits"]["pids"]) == (container_id, "running", 1000)
    stats = hub.get("/api/projects/web/container/stats").json()
    assert stats["pids"] >= 1
    assert stats["memory_usage_mb"] > 0
    assert hub.get("/api/containers/count").json() == {"active": 1}
    assert hub.post("/api/projects/web/container/stop").json() == {"container_id": container_id, "status": "exited"}
    assert hub.get("/api/projects/web/container/stats").json() == {"detail": "Container not running"}
    assert hub.post("/api/projects/web/container/start").json() == {"container_id": container_id, "status": "running"}
    assert isinstance(hub.get("/api/projects/web/container/logs?tail=5").text, str)


def test_a_command_answers_and_does_not_hold_others_up(hub):
    assert hub.post("/api/projects/web/ensure-container").status_code == 200
    with ThreadPoolExecutor() as threads:
        slow = threads.submit(hub.post, "/api/projects/web/commands", json={"command": "sleep 4; echo slept"})
        began = time.monotonic()
        for _ in range(5):
            assert hub.get("/api/projects").status_code == 200
        assert time.monotonic() - began < 3
        result = slow.result().json()
    assert (result["stdout"], result["exit_code"], result["timed_out"]) == ("slept\n", 0, False)
    assert result["duration_seconds"] >= 4


def test_a_command_without_waiting_is_followed_and_killed(hub):
    assert hub.post("/api/projects/web/ensure-container").status_code == 200
    started = hub.post("/api/projects/web/commands", json={"command": "echo first; sleep 600", "wait": False})
    assert started.status_code == 202
    place = f"/api/commands/{started.json()['id']}"
    wait_until(lambda: b"first\n" in hub.get(f"{place}/output").content, 20, reason="the output arrives while it runs")
    assert hub.get(f"{place}/output").headers["X-ContainerHub-State"] == "running"
    assert hub.get("/api/projects/web/container").json()["busy"] is True
    assert hub.delete(place).status_code == 200
    wait_until(lambda: hub.get(place).json()["state"] != "running", 20, reason="it ends after the kill")
    assert (hub.get(place).json()["killed"], hub.get(place).json()["exit_code"]) in [(True, None), (True, 143), (True, 137)]


def test_ensures_at_the_same_time_answer_alike(hub):
    assert hub.delete("/api/projects/web/container").json() == {"status": "stopped"}
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda _: hub.post("/api/projects/web/ensure-container"), range(20)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.browser
def test_the_documentation_works_under_the_policy(hub):
    """Swagger's page is drawn, tries a call out with the session's CSRF token, and the policy has nothing to refuse."""
    complaints: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(args=["--no-sandbox"], executable_path=CHROMIUM if os.path.exists(CHROMIUM) else None)
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.goto(f"{hub.base_url}/api/docs")
        page.fill("input[name=login]", "admin")
        page.fill("input[name=password]", PASSWORD)
        page.click("button[type=submit]")
        page.wait_for_selector(".opblock")
        assert page.locator(".opblock").count() >= 35
        page.click("#operations-tokens-make_token .opblock-summary")
        page.click("#operations-tokens-make_token .try-out__btn")
        page.fill("#operations-tokens-make_token textarea", '{"name": "from the page"}')
        page.click("#operations-tokens-make_token .execute")
        page.wait_for_selector("#operations-tokens-make_token .live-responses-table tbody .response-col_status:has-text('201')")
        browser.close()
    assert complaints == []
