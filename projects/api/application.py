"""The NinjaAPI itself: its routers, its documents, and answers in JSON for every path below it."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseNotAllowed
from django.urls import URLPattern, URLResolver
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI
from ninja.operation import Operation

from projects.api import (
    clones,
    commands,
    containers,
    deploy_keys,
    events,
    git_credentials,
    health,
    images,
    invitations,
    manifests,
    members,
    notifications,
    projects,
    secrets,
    terminals,
    tokens,
    users,
)
from projects.api.auth import BEARER, SESSION, documents_for_the_signed_in
from projects.api.errors import add_handlers, problem
from projects.api.parser import StrictParser

DESCRIPTION = """\
One long-running, isolated, health-watched Docker container per project.

Sign in with a session, or send `Authorization: Bearer <token>` (make one with `POST /api/tokens`). Every error is
`{"detail": "one sentence with the remedy"}`; 503 carries `Retry-After`. Lists are `{"items": [...], "next": cursor or null}`:
send `next` as `cursor` for the page after. What you may not see answers 404."""

View = Callable[..., HttpResponseBase]


@csrf_exempt
def no_such_call(request: HttpRequest) -> HttpResponseBase:
    """For every path below /api/ that is no call."""
    return problem(404, "The API has no such address; look at /api/docs for those it has.")


class HubAPI(NinjaAPI):
    """Also answers in JSON where Django or Ninja would answer in HTML or plain text."""

    def get_openapi_operation_id(self, operation: Operation) -> str:
        return str(operation.view_func.__name__)

    def _get_urls(self) -> list[URLPattern | URLResolver]:
        patterns = super()._get_urls()
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = _always_json(pattern.callback)
        return patterns


def _always_json(view: View) -> View:
    @csrf_exempt  # sessions are checked by projects.api.auth, tokens need no check
    @wraps(view)
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            response = view(request, *args, **kwargs)
        except Http404:
            return no_such_call(request)
        if isinstance(response, HttpResponseNotAllowed):
            allowed = ", ".join(sorted(response["Allow"].split(", ")))
            response = problem(405, f"This address takes {allowed} only; look at /api/docs.")
            response["Allow"] = allowed
        if "Cache-Control" not in response:
            response["Cache-Control"] = "no-store"
        return response

    return answer


api = HubAPI(
    title="ContainerHub",
    version="1",
    description=DESCRIPTION,
    urls_namespace="api",
    auth=[BEARER, SESSION],
    parser=StrictParser(),
    docs_decorator=documents_for_the_signed_in,
)
add_handlers(api)
for part in (
    projects,
    containers,
    clones,
    health,
    commands,
    members,
    git_credentials,
    deploy_keys,
    secrets,
    events,
    images,
    tokens,
    users,
    invitations,
    manifests,
    terminals,
    notifications,
):
    api.add_router("", part.router)
