from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from projects.models import ApiToken, Event
from projects.services.errors import BadInput
from projects.services.record import HUB
from projects.services.tokens import make_token, revoke_token, user_of_key


@pytest.fixture
def ada(django_user_model, db):
    return django_user_model.objects.create_user("ada")


def make(ada, **fields):
    return make_token(**{"user": ada, "name": "laptop", "actor": HUB, **fields})


def test_a_key_opens_for_its_user_and_only_its_digest_is_kept(ada):
    token, key = make(ada)
    assert user_of_key(key) == ada
    token.refresh_from_db()
    assert key not in repr(vars(token))
    assert token.digest == ApiToken.digest_of(key)
    assert key not in repr(list(Event.objects.values()))


@pytest.mark.parametrize("key", ["", "hub_", "hub_nonsense", "x" * 10_000, "hub_\udcff", "hub_ä", "Bearer hub_x"])
def test_no_other_text_opens_anything(ada, key):
    make(ada)
    assert user_of_key(key) is None


def test_a_revoked_key_opens_nothing_and_revoking_again_is_quiet(ada):
    token, key = make(ada)
    revoke_token(token=token, actor=HUB)
    first = ApiToken.objects.get().revoked_at
    revoke_token(token=token, actor=HUB)
    assert user_of_key(key) is None
    assert ApiToken.objects.get().revoked_at == first
    assert Event.objects.filter(kind="token.revoked").count() == 1


def test_an_expired_key_opens_nothing(ada):
    _, key = make(ada, expires_at=timezone.now() + timedelta(hours=1))
    assert user_of_key(key) == ada
    ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert user_of_key(key) is None


def test_the_key_of_an_inactive_user_opens_nothing(ada):
    _, key = make(ada)
    ada.is_active = False
    ada.save()
    assert user_of_key(key) is None


def test_the_last_use_is_noted_at_most_once_a_minute(ada, django_assert_num_queries):
    _, key = make(ada)
    user_of_key(key)
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        user_of_key(key)
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    user_of_key(key)
    later = ApiToken.objects.get().last_used_at
    assert later is not None
    assert later >= first


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": " "},
        {"name": "x" * 101},
        {"name": "a\0"},
        {"expires_at": datetime(2000, 1, 1, tzinfo=UTC)},
        {"expires_at": datetime(2999, 1, 1)},
        {"expires_at": datetime(9999, 12, 31, 23, tzinfo=UTC)},
    ],
)
def test_bad_tokens_are_refused(ada, fields):
    with pytest.raises(BadInput):
        make(ada, **fields)
    assert not ApiToken.objects.exists()
