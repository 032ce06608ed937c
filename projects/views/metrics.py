"""`/metrics` for Prometheus, behind a token of its own: no session opens it, and without a token set there is no such page."""

import secrets

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from projects.services.metrics.exposition import exposition

NO_STORE = {"Cache-Control": "no-store"}


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while CONTAINERHUB_METRICS_TOKEN is unset, 401 without it as a Bearer token."""
    token = settings.CONTAINERHUB.metrics_token
    if not token:
        return _plain(404, "There is no such page; set CONTAINERHUB_METRICS_TOKEN to have metrics here.")
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), token.encode()):
        answer = _plain(401, "Send the hub's metrics token as Authorization: Bearer <token>.")
        answer["WWW-Authenticate"] = 'Bearer realm="metrics"'
        return answer
    content, content_type = exposition(request.headers.get("Accept", ""))
    return HttpResponse(content, content_type=content_type, headers=NO_STORE)


def _plain(status: int, text: str) -> HttpResponse:
    return HttpResponse(f"{text}\n", status=status, content_type="text/plain", headers=NO_STORE)
