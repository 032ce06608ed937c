"""Who opened a socket: a Bearer token, or the session of its cookie. Asked anew each time, so that a sign-out shows."""

from http.cookies import CookieError, SimpleCookie
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.models import AnonymousUser

from projects.services.tokens import user_of_key


def bears_token(scope: dict[str, Any]) -> bool:
    """Whether the Authorization header counts, and no session."""
    return any(name == b"authorization" for name, _value in scope["headers"])


def credential_of(scope: dict[str, Any]) -> tuple[bytes, bytes]:
    """What says who opened it, as it was sent."""
    headers = dict(scope["headers"])
    return headers.get(b"authorization", b""), headers.get(b"cookie", b"")


def user_of(scope: dict[str, Any]) -> Any:
    """The active user, or AnonymousUser. With an Authorization header only the token counts, as in the API."""
    headers = dict(scope["headers"])
    if b"authorization" in headers:
        kind, _, key = headers[b"authorization"].decode("latin-1").partition(" ")
        return (user_of_key(key.strip()) if kind.lower() == "bearer" else None) or AnonymousUser()
    try:
        cookies = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1"))
    except CookieError:
        return AnonymousUser()
    morsel = cookies.get(settings.SESSION_COOKIE_NAME)
    if morsel is None:
        return AnonymousUser()
    session = import_module(settings.SESSION_ENGINE).SessionStore(morsel.value)
    user = get_user(SimpleNamespace(session=session, META={}))  # type: ignore[arg-type]  # it needs no more of a request
    return user if user.is_active else AnonymousUser()
