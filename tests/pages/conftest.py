"""The cast of users, as for the API."""

import pytest

from projects.services import commands
from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages", "running"]


@pytest.fixture
def running(cast, fake_engine, monkeypatch):
    """The cast with the project's container running on the fake Engine."""
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    assert cast.api("operator").post("/api/projects/web/ensure-container").status_code == 200
    cast.project.refresh_from_db()
    return cast
