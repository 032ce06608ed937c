from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.utils import timezone

from projects.services import housekeeping
from projects.services.engines import use_engine
from projects.tasks import tick
from tests.engine.fake import FakeEngine


@pytest.fixture
def engine(settings):
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "LOCATION": "housekeeping"}}
    cache.clear()
    fake = FakeEngine()
    use_engine(fake)
    yield fake
    use_engine(None)


def sessions() -> set[str]:
    return set(Session.objects.values_list("session_key", flat=True))


@pytest.mark.django_db
def test_expired_sessions_go_also_when_another_chore_fails(engine):
    engine.down = True
    for key, days in (("old", -1), ("new", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=timezone.now() + timedelta(days=days))
    tick()
    assert sessions() == {"new"}


@pytest.mark.django_db
def test_it_is_done_once_an_hour_however_often_the_tick_comes(engine, monkeypatch):
    done = []
    monkeypatch.setattr(housekeeping, "_CHORES", (lambda: done.append(1),))
    for _ in range(5):
        tick()
    assert done == [1]
