"""How a page answers a form: one sentence on the page that comes next, whether it went well or was refused."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect

from projects.access import AccessDenied, demand_administrator
from projects.engine.errors import EngineError
from projects.services.errors import HubError
from projects.services.record import Actor

REFUSALS = (HubError, EngineError)


def told(request: HttpRequest, work: Callable[[], str], *, back: str) -> HttpResponseRedirect:
    """Do it and go to `back`, with the sentence that it answers or the one that it was refused with; "" says nothing."""
    try:
        said = work()
    except REFUSALS as error:
        messages.error(request, str(error))
    else:
        if said:
            messages.success(request, said)
    return HttpResponseRedirect(back)


def actor_of(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of(user)


def administrators_only(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Others are told that they may not (403)."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        allowed(lambda: demand_administrator(request.user))
        return view(request, *args, **kwargs)

    return login_required(guarded)


def allowed(demand: Callable[[], None]) -> None:
    """Turns a refusal of `projects.access` into the page that says so."""
    try:
        demand()
    except AccessDenied as error:
        raise PermissionDenied(str(error)) from error
