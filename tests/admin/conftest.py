import pytest
from django_q.conf import Conf

from projects.services import commands
from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "engine", "fake_engine", "pages", "staff", "worker"]


@pytest.fixture
def worker(monkeypatch):
    """Tasks are done as they are queued, in this process: what django-q2's `sync` does."""
    monkeypatch.setattr(Conf, "SYNC", True)


@pytest.fixture
def engine(fake_engine, monkeypatch, worker):
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    return fake_engine


@pytest.fixture
def staff(cast):
    """The cast, where everybody may enter the admin."""
    for user in cast.users.values():
        user.is_staff = True
        user.save()
    return cast
