"""Leads who must have a second factor and does not to where it is set up, before anything else.

The API says the same in `projects.api.auth`: a bearer token needs no second factor, a session does.
"""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from projects.services.second_factor import second_factor_missing

OPEN = ("/accounts/2fa/", "/accounts/reauthenticate/", "/accounts/logout/", "/accounts/login/", "/static/", "/api/", "/healthz", "/readyz")
"""What the way there needs, and what answers for itself."""


class SecondFactorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(OPEN) and second_factor_missing(request.user):
            return redirect(reverse("mfa_activate_totp"))
        return self.get_response(request)
