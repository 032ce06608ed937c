"""Every refusal as `{"detail": "one sentence with the remedy"}`, with the status that fits it."""

from collections.abc import Callable
from typing import Any

import structlog
from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from projects.access import AccessDenied, Stranger
from projects.engine.errors import EngineError, EngineUnreachable
from projects.services import errors as hub

RETRY_AFTER_SECONDS = 5
UNKNOWN_CALLER = "Sign in first, or send a valid API token as Authorization: Bearer <token>."
NOT_RUNNING = "Container not running"

log = structlog.get_logger(__name__)

STATUSES: dict[type[Exception], int] = {
    Stranger: 404,
    AccessDenied: 403,
    hub.BadInput: 400,
    hub.Forbidden: 403,
    hub.NotFound: 404,
    hub.HubError: 409,
    EngineError: 409,
    SuspiciousOperation: 400,
    MultiPartParserError: 400,
}


def problem(status: int, detail: str) -> HttpResponse:
    return JsonResponse({"detail": detail}, status=status)


def add_handlers(api: NinjaAPI) -> None:
    for kind, status in STATUSES.items():
        api.add_exception_handler(kind, _refusal(status))
    api.add_exception_handler(EngineUnreachable, _unreachable)
    api.add_exception_handler(AuthenticationError, lambda request, error: problem(401, UNKNOWN_CALLER))
    api.add_exception_handler(HttpError, _refused_by_ninja)
    api.add_exception_handler(ValidationError, _wrong_shape)
    api.add_exception_handler(Http404, lambda request, error: problem(404, "There is no such thing; check the address."))
    api.add_exception_handler(Exception, _fault)


def _refusal(status: int) -> Callable[[HttpRequest, Any], HttpResponse]:
    def answer(request: HttpRequest, error: Any) -> HttpResponse:
        return problem(status, str(error))

    return answer


def _refused_by_ninja(request: HttpRequest, error: Any) -> HttpResponse:
    """Ninja hides what a body's parser said behind a sentence of its own."""
    cause = error.__cause__
    return problem(error.status_code, str(cause) if isinstance(cause, hub.BadInput) else str(error))


def _unreachable(request: HttpRequest, error: Any) -> HttpResponse:
    log.warning("api.engine_unreachable", path=request.path, error=str(error), cause=repr(error.__cause__))
    response = problem(503, str(error))
    response["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return response


def _wrong_shape(request: HttpRequest, error: Any) -> HttpResponse:
    """The first thing that is wrong, in words, and how many more there are."""
    first, more = error.errors[0], len(error.errors) - 1
    parts = [str(part) for part in first["loc"][1:]]  # the first says only where: body, query, path
    place = ".".join(parts[1:] if parts[:1] == ["payload"] else parts)[:200]
    message = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    others = f" ({more} more like it)" if more else ""
    return problem(422, f"{place or 'body'}: {message}{others}; correct it and send it again.")


def _fault(request: HttpRequest, error: Any) -> HttpResponse:
    raise error  # a fault of ours: Django logs it and answers 500
