"""Liveness and readiness, for anyone who asks, without details."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from projects.services.readiness import missing


def healthz(request: HttpRequest) -> HttpResponse:
    """The web process answers."""
    return HttpResponse("ok", content_type="text/plain", headers={"Cache-Control": "no-store"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, Engine and worker are there; else 503."""
    ready = not missing()
    return JsonResponse({"ready": ready}, status=200 if ready else 503, headers={"Cache-Control": "no-store"})
