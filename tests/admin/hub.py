"""A whole served hub with many projects, and a script that uses its admin through Django's test client."""

import textwrap
from pathlib import Path
from typing import Any

from tests.admin.browser import PASSWORD
from tests.processes.stack import Stack

CLIENT = """
import time
from django.contrib.auth import get_user_model
from django.test import Client
from django.test.utils import setup_test_environment
from projects.states import *

setup_test_environment()  # so that an answer tells its context
LIST = "/admin/projects/project/"
client = Client(headers={"host": "localhost"})

def sign_in(name):
    client.force_login(get_user_model().objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")

def pks(slugs):
    return [Project.objects.get(slug=slug).pk for slug in slugs]

def act(action, slugs, **fields):
    chosen = pks(slugs)
    page = client.post(LIST, {"action": action, "_selected_action": chosen}, follow=True)
    if "batch" not in page.context:
        body = {"action": action, "projects": ",".join(map(str, chosen)), "confirmed": "yes", **fields}
        page = client.post(LIST + "act/", body, follow=True)
    return followed(page.request["PATH_INFO"])

def followed(place):
    deadline = time.monotonic() + 150
    while True:
        page = client.get(place)
        batch = page.context["batch"]
        if batch.finished_at:
            return {item.project_slug: [item.state, item.message] for item in page.context["items"]}
        assert time.monotonic() < deadline, [(item.project_slug, item.state) for item in page.context["items"]]
        time.sleep(0.3)
"""


class AdminHub(Stack):
    """Call `fill` once it serves."""

    def __init__(self, directory: Path) -> None:
        super().__init__(directory, CONTAINERHUB_ADMIN_PASSWORD=PASSWORD)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def fill(self, slugs: list[str], **names: str) -> None:
        """Projects over workspaces of their own, named if need be."""
        rows = [{"slug": slug, "name": names.get(slug, slug), "path": str(self.box.workspace(slug))} for slug in slugs]
        self.box.python(f"[Project.objects.create(**row) for row in {rows!r}]")

    def client(self, code: str) -> Any:
        """Run `code` beside the helpers of CLIENT, and answer what it answers."""
        return self.box.python(CLIENT + textwrap.dedent(code))
