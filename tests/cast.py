"""A cast of users around one project, and clients that call as each of them. Import the fixtures into a conftest."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client

from projects.models import ApiToken, Membership, Project
from projects.services.engines import use_engine
from projects.states import Role
from tests.engine.fake import FakeEngine
from tests.services.host import Host, make_host

MEMBERS = ("owner", "operator", "viewer")
EVERYBODY = ("administrator", *MEMBERS, "stranger", "nobody")


@dataclass
class Cast:
    """`users` by name; `project` has an owner, an operator and a viewer."""

    host: Host
    users: dict[str, Any]
    project: Project

    def api(self, name: str) -> Client:
        """A client with a Bearer token of that user; "nobody" has none."""
        if name == "nobody":
            return Client()
        token, key = ApiToken.unsaved(user=self.users[name], name="test")
        token.save()
        return Client(headers={"authorization": f"Bearer {key}"})

    def browser(self, name: str) -> Client:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.users[name], backend="django.contrib.auth.backends.ModelBackend")
        return client

    def call(self, name: str, method: str, path: str, body: object = None) -> Any:
        content = {"data": body, "content_type": "application/json"} if body is not None else {}
        return self.api(name).generic(method, path) if body is None else getattr(self.api(name), method.lower())(path, **content)


@pytest.fixture
def pages(settings, tmp_path: Path) -> None:
    """Static files as they stand in the source: nothing is collected in tests."""
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STATIC_ROOT.mkdir()
    settings.STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }


@pytest.fixture
def fake_engine():
    engine = FakeEngine()
    use_engine(engine)
    yield engine
    use_engine(None)


@pytest.fixture
def cast(db, settings, tmp_path: Path, monkeypatch, pages) -> Cast:
    return make_cast(make_host(tmp_path, settings, monkeypatch))


def make_cast(host: Host) -> Cast:
    host.settings.DATA_DIR = host.data
    make = get_user_model().objects.create_user
    users = {name: make(name) for name in (*MEMBERS, "stranger")}
    users["administrator"] = get_user_model().objects.create_superuser("administrator")
    project = host.project("web")
    for name in MEMBERS:
        Membership.objects.create(project=project, user=users[name], role=Role(name))
    return Cast(host, users, project)
