"""What a project's container printed: its last lines to read and search, followed where there are scripts, and all of it to keep."""

from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_safe

from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.container_logs import container_logs
from projects.services.errors import HubError
from projects.services.log_lines import lines_of
from projects.views.lookup import project_or_404
from projects.views.project_page import only_head, page, shown_project

LINES = (100, 200, 500, 1000, 5000)
DEFAULT_LINES = 200
SPANS = (("", "its beginning"), ("15m", "15 minutes ago"), ("1h", "1 hour ago"), ("24h", "24 hours ago"))
_SPANS = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "24h": timedelta(hours=24)}
WORDS_LENGTH = 200
MOST_AT_ONCE = 2000


@login_required
@require_safe
def logs(request: HttpRequest, slug: str) -> HttpResponse:
    project = shown_project(request.user, slug)
    query = request.GET
    words = query.get("q", "").replace("\0", "")[:WORDS_LENGTH]
    wanted = query.get("lines", "")
    count = int(wanted) if wanted in {str(number) for number in LINES} else DEFAULT_LINES
    context: dict[str, Any] = {
        "counts": LINES,
        "count": count,
        "spans": SPANS,
        "since": query.get("since", "")[:40],
        "words": words,
        "stamps": "stamps" in query,
        "wrap": "wrap" in query or not query,
        **_read(project, count, query.get("since", ""), words),
    }
    return page(request, "logs", "Logs", project, context)


@login_required
@require_safe
def more(request: HttpRequest, slug: str) -> JsonResponse:
    """What was printed since a line's time, that line too, for the page's script: asked each second. `cut`: there was more."""
    project = project_or_404(request.user, slug)
    try:
        log = container_logs(project=project, tail=MOST_AT_ONCE, since=_since(request.GET.get("since", "")), timestamps=True)
    except (HubError, EngineError) as error:
        return JsonResponse({"text": "", "problem": str(error), "cut": False})
    return JsonResponse({"text": log.decode(errors="replace"), "problem": "", "cut": log.count(b"\n") >= MOST_AT_ONCE})


@login_required
@require_safe
def download(request: HttpRequest, slug: str) -> HttpResponse:
    """All that the Engine has kept, byte for byte, with the Engine's times where `stamps` is asked for."""
    project = project_or_404(request.user, slug)
    try:
        log = container_logs(project=project, tail=None, since=_since(request.GET.get("since", "")), timestamps="stamps" in request.GET)
    except (HubError, EngineError):
        return HttpResponseRedirect("./")  # the page says why
    response = HttpResponse(log, content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{project.slug}-{timezone.now():%Y%m%d-%H%M%S}.log"'
    response["Cache-Control"] = "no-store"
    return response


only_head("project-logs")


def _read(project: Project, count: int, since: str, words: str) -> dict[str, Any]:
    try:
        lines = lines_of(container_logs(project=project, tail=count, since=_since(since), timestamps=True), words)
    except (HubError, EngineError) as error:
        return {"lines": [], "problem": str(error)}
    return {"lines": lines, "found": sum(line.found for line in lines)}


def _since(text: str) -> datetime | None:
    """One of the spans, or a time in ISO's form (UTC unless it says another); None for anything else."""
    if text in _SPANS:
        return timezone.now() - _SPANS[text]
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found
