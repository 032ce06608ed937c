import pytest

from projects.services import commands
from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "engine", "fake_engine", "pages", "staff"]


@pytest.fixture
def engine(fake_engine, monkeypatch):
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    return fake_engine


@pytest.fixture
def staff(cast):
    """The cast, where everybody may enter the admin."""
    for user in cast.users.values():
        user.is_staff = True
        user.save()
    return cast
