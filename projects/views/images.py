"""Images: the base image and its layers, its variants, its builds, and the containers that an older one is under."""

from collections.abc import Iterator
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from projects.access import is_administrator, visible_projects
from projects.consumers.live import Fragments
from projects.engine.errors import EngineError
from projects.models import ImageBuild
from projects.services.image_overview import look_at_images
from projects.services.images import build_log, cancel_build, end_of_log, start_build
from projects.services.outdated import outdated_containers, refresh_idle
from projects.services.plain import plain
from projects.states import BuildState
from projects.views.answering import REFUSALS, actor_of, administrators_only, told
from projects.views.live import live
from projects.views.streams import off_the_loop

BUILDS, OLDER = 10, 100
LOG_BYTES = 64 * 1024


@login_required
@require_safe
def images(request: HttpRequest) -> HttpResponse:
    return render(request, "images/images.html", _context(request.user))


@live("images")
def fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    context = _context(user)
    return {f"images-{part}": render_to_string(f"images/{part}.html", context) for part in ("base", "older", "variants", "builds")}


@administrators_only
@require_POST
def build(request: HttpRequest) -> HttpResponseBase:
    """Start one, and go to its page."""
    try:
        begun = start_build(actor=actor_of(request), no_cache="no_cache" in request.POST)
    except REFUSALS as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("images"))
    return HttpResponseRedirect(reverse("build", args=[begun.pk]))


@administrators_only
@require_safe
def one_build(request: HttpRequest, pk: int) -> HttpResponse:
    """The build as it stands, with the end of its log; it goes on whether anybody looks or not."""
    found = _build_or_404(pk)
    return render(request, "images/build.html", {"build": found, "running": _is_running(found), "log": plain(end_of_log(found, LOG_BYTES))})


@administrators_only
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponseBase:
    found = _build_or_404(pk)

    def work() -> str:
        cancel_build(build=found, actor=actor_of(request))
        return "The build is told to end; that takes a few seconds."

    return told(request, work, back=reverse("build", args=[pk]))


@administrators_only
@require_safe
def log_file(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """The whole log as a file."""
    found = _build_or_404(pk)

    def pieces() -> Iterator[bytes]:
        offset = 0
        while piece := build_log(found, offset):
            offset += len(piece)
            yield piece

    response = StreamingHttpResponse(off_the_loop(pieces()), content_type="text/plain; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="build-{pk}.txt"'
    return response


@login_required
@require_POST
def refresh(request: HttpRequest) -> HttpResponse:
    """Those that are idle now, as a batch."""
    try:
        batch, busy = refresh_idle(projects=visible_projects(request.user), actor=actor_of(request))
    except REFUSALS as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(reverse("images"))
    if busy:
        messages.warning(request, f"Left alone, since they are busy: {', '.join(one.project.slug for one in busy)}.")
    return HttpResponseRedirect(reverse("batch", args=[batch.pk]))


def _context(user: Any) -> dict[str, Any]:
    administrator = is_administrator(user)
    builds = list(ImageBuild.objects.all()[:BUILDS]) if administrator else []
    context: dict[str, Any] = {
        "may_build": administrator,
        "builds": builds,
        "current": next((one for one in builds if _is_running(one)), None),
        "overview": None,
        "older": [],
    }
    try:
        context |= {"overview": look_at_images(), "older": outdated_containers(visible_projects(user), most=OLDER)}
    except EngineError as error:
        context["engine_error"] = str(error)
    context["more"] = len(context["older"]) == OLDER
    context["idle"] = sum(not one.busy for one in context["older"])
    return context


def _is_running(build: ImageBuild) -> bool:
    return build.state == BuildState.RUNNING


def _build_or_404(pk: int) -> ImageBuild:
    found = ImageBuild.objects.filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such build.")
    return found
