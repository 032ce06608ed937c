"""The pages, as each of the cast sees them, on an Engine in memory."""

import pytest

from projects.services import commands
from tests.cast import Cast, cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages", "running"]


@pytest.fixture
def posting(cast: Cast):
    """`posting(name, path, **fields)`: a form of that user, sent as a browser does, with the token of a page."""

    def post(name: str, path: str, /, **fields: object):
        client = cast.browser(name)
        client.get("/account/")
        return client.post(path, {**fields, "csrfmiddlewaretoken": client.cookies["csrftoken"].value}, follow=True)

    return post


@pytest.fixture
def running(cast, fake_engine, monkeypatch):
    """The cast with the project's container running on the fake Engine."""
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    assert cast.api("operator").post("/api/projects/web/ensure-container").status_code == 200
    cast.project.refresh_from_db()
    return cast
