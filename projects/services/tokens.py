"""API tokens: made (the key is shown once), revoked, and found again by their key."""

from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from projects.models import ApiToken
from projects.models.people import TOKEN_PREFIX
from projects.services.errors import BadInput
from projects.services.record import Actor, record

NAME_LENGTH = 100
TOKENS_PER_USER = 100
SEEN_EVERY = timedelta(minutes=1)
_KEY_LENGTH = 100
_LAST_YEAR = 9000  # so that no time zone carries it past what a datetime holds


def make_token(*, user: User, name: str, expires_at: datetime | None = None, actor: Actor) -> tuple[ApiToken, str]:
    """The token and its key, which nobody can show again. Raises BadInput."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput(f"Give the token a name of 1 to {NAME_LENGTH} printable characters.")
    if expires_at is not None and timezone.is_naive(expires_at):
        raise BadInput("Give the time of expiry with its zone, for example 2030-01-31T12:00:00Z.")
    if expires_at is not None and expires_at.year > _LAST_YEAR:
        raise BadInput(f"The time of expiry is too far away; choose one before the year {_LAST_YEAR}, or none.")
    if expires_at is not None and expires_at <= timezone.now():
        raise BadInput("The time of expiry has passed already; choose a later one, or none.")
    with transaction.atomic():
        if ApiToken.objects.filter(user=user, revoked_at__isnull=True).count() >= TOKENS_PER_USER:
            raise BadInput(f"A user has at most {TOKENS_PER_USER} tokens; revoke one that is no longer used.")
        token, key = ApiToken.unsaved(user=user, name=name, expires_at=expires_at)
        token.save()
        message = f"The API token {token} was made for {user.get_username()}."
        record("token.created", actor=actor, message=message, token=token.pk, user=user.get_username())
    return token, key


def revoke_token(*, token: ApiToken, actor: Actor) -> None:
    """It opens nothing any more; quiet when revoked already."""
    with transaction.atomic():
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=timezone.now()):
            message = f"The API token {token} of {token.user.get_username()} was revoked."
            record("token.revoked", actor=actor, message=message, token=token.pk, user=token.user.get_username())


def user_of_key(key: str) -> Any | None:
    """The active user whose usable token this is, or None. Notes the use, at most once a minute."""
    if not key.startswith(TOKEN_PREFIX) or len(key) > _KEY_LENGTH or not key.isascii():
        return None
    token = ApiToken.objects.select_related("user").filter(digest=ApiToken.digest_of(key)).first()
    if token is None or not token.usable or not token.user.is_active:
        return None
    now = timezone.now()
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=now - SEEN_EVERY)
    if token.last_used_at is None or token.last_used_at <= now - SEEN_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token.user
