"""/metrics for Prometheus, behind a token of its own: no session, no user."""

import secrets

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from prometheus_client import CONTENT_TYPE_LATEST

from projects.consumers.base import open_sockets
from projects.services.metrics import exposition


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """404 while no token is set, 401 for another than `CONTAINERHUB_METRICS_TOKEN`."""
    wanted = settings.CONTAINERHUB.metrics_token
    if not wanted:
        raise Http404("Set CONTAINERHUB_METRICS_TOKEN to have metrics.")
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secrets.compare_digest(given.strip().encode(), wanted.encode()):
        words = "Send the token of CONTAINERHUB_METRICS_TOKEN as Authorization: Bearer <token>.\n"
        return HttpResponse(words, status=401, content_type="text/plain", headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    return HttpResponse(exposition(open_sockets()), content_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})
