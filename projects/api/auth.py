"""Who calls: a Bearer token, or a session (which also needs Django's CSRF token for calls that change something)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseBase
from ninja.errors import HttpError
from ninja.security import APIKeyCookie, HttpBearer
from ninja.utils import check_csrf

from projects.api.errors import UNKNOWN_CALLER, problem
from projects.services.record import Actor
from projects.services.second_factor import REMEDY, second_factor_missing
from projects.services.tokens import user_of_key

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


class Bearer(HttpBearer):
    """With this header only the token counts: a bad one is 401, whatever the session says."""

    def authenticate(self, request: HttpRequest, token: str) -> User:
        user = user_of_key(token.strip())
        if user is None:
            raise HttpError(401, UNKNOWN_CALLER)
        request.user = user  # for the log
        return cast(User, user)


class Session(APIKeyCookie):
    param_name = "sessionid"

    def __call__(self, request: HttpRequest) -> User | None:
        user = self.authenticate(request, None)
        if user is not None and request.method not in SAFE_METHODS and check_csrf(request):
            raise HttpError(
                403, "The CSRF token is missing or wrong; send the cookie csrftoken as the header X-CSRFToken, or use an API token."
            )
        return user

    def authenticate(self, request: HttpRequest, key: str | None) -> User | None:
        user = request.user
        if not (user.is_authenticated and user.is_active):
            return None
        if second_factor_missing(user):
            raise HttpError(403, REMEDY)
        return user


BEARER = Bearer()
SESSION = Session()


def caller(request: HttpRequest) -> User:
    """The signed-in user of a call."""
    return cast(User, request.auth)  # type: ignore[attr-defined]  # Ninja sets it


def actor(request: HttpRequest) -> Actor:
    return Actor.of(caller(request))


def documents_for_the_signed_in(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Nobody gets 401 for the document, and the sign-in page for the page."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            user = BEARER(request) or SESSION(request)
        except HttpError as error:
            return problem(error.status_code, str(error))
        if user:
            return view(request, *args, **kwargs)
        if request.path.endswith(".json"):
            return problem(401, UNKNOWN_CALLER)
        return redirect_to_login(request.get_full_path())

    return guarded
