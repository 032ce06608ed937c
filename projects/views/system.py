"""The hub itself, for administrators: Engine, processes, drift, disk and clean-up, the doctor's findings."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from projects.access import Stranger, is_administrator
from projects.consumers.live import Fragments
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.cleanup import cleanup_all
from projects.services.doctor import Finding, Severity, examine
from projects.services.drift import adopt_orphan, forget_missing, look_at_drift, remove_stray
from projects.services.reconcile import reconcile
from projects.services.system import look_at_system, preview_cleanup, remove_stale_images
from projects.views.answering import actor_of, administrators_only, told
from projects.views.live import live

RUNNING_LOSS = "Whatever runs there: commands, terminals, agents at work."
LAYER_LOSS = "Everything installed or written outside of /workspace and the Claude configuration."
KEEPS = ("The projects, their settings, members, runs and events.", "The workspaces, to the last file.", "Claude's configurations.")


@administrators_only
@require_safe
def system(request: HttpRequest) -> HttpResponse:
    return render(request, "system/system.html", {"system": look_at_system()})


@live("system")
def fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    if not is_administrator(user):
        raise Stranger("This page is for administrators.")
    context = {"system": look_at_system()}
    return {f"system-{part}": render_to_string(f"system/{part}.html", context) for part in ("engine", "parts", "drift")}


@administrators_only
@require_safe
def cleanup(request: HttpRequest) -> HttpResponse:
    """What takes room, and what a clean-up would remove: nothing is done by looking."""
    context: dict[str, Any] = {"preview": None}
    try:
        context["preview"] = preview_cleanup(actor=actor_of(request))
    except EngineError as error:
        context["engine_error"] = str(error)
    return render(request, "system/cleanup.html", context)


@administrators_only
@require_safe
def doctor(request: HttpRequest) -> HttpResponse:
    findings = sorted(examine(), key=_urgency)
    bad = [finding for finding in findings if finding.ok is False]
    context = {
        "findings": findings,
        "errors": sum(finding.severity is Severity.ERROR for finding in bad),
        "warnings": sum(finding.severity is Severity.WARNING for finding in bad),
        "unknown": sum(finding.ok is None for finding in findings),
    }
    return render(request, "system/doctor.html", context)


@administrators_only
@require_POST
def remove_images(request: HttpRequest) -> HttpResponseBase:
    def work() -> str:
        removed = remove_stale_images()
        return f"Removed: {', '.join(removed)}." if removed else "There was none that no container uses."

    return told(request, work, back=reverse("cleanup"))


@administrators_only
@require_POST
def remove_containers(request: HttpRequest) -> HttpResponseBase:
    """Those that the preview named, once the question is answered."""
    chosen = request.POST.getlist("container")
    if "confirmed" not in request.POST:
        return _ask(
            request,
            lambda: [(one.container_id, one.name, one.project) for one in cleanup_all(actor=actor_of(request), only=chosen).items],
            title="Stop and remove these containers?",
            loses=("The containers themselves; ensure makes new ones.", RUNNING_LOSS, LAYER_LOSS),
            back=reverse("cleanup"),
        )

    def work() -> str:
        items = cleanup_all(actor=actor_of(request), dry_run=False, only=chosen).items
        failed = [f"{item.name}: {item.error}" for item in items if item.error]
        said = f"{sum(item.removed for item in items)} of {len(items)} containers were removed; projects and workspaces were kept."
        return " ".join([said, *(["Not removed:"] if failed else []), *failed])

    return told(request, work, back=reverse("cleanup"))


@administrators_only
@require_POST
def drift(request: HttpRequest, action: str) -> HttpResponseBase:
    """`adopt` and `remove` an orphaned container, `forget` a missing one, or `look` again now."""
    if action == "remove" and "confirmed" not in request.POST:
        wanted = request.POST.get("container", "")
        return _ask(
            request,
            lambda: [(one.docker_id, one.name, "") for one in look_at_drift().orphaned if one.docker_id == wanted],
            title="Stop and remove this container?",
            loses=("The container itself.", RUNNING_LOSS, LAYER_LOSS),
            keeps=("The directory that was its workspace, to the last file.",),
            back=reverse("system"),
        )
    work = _DRIFT.get(action)
    if work is None:
        raise Http404("There is no such action.")
    return told(request, lambda: work(request), back=reverse("system"))


def _adopt(request: HttpRequest) -> str:
    project = adopt_orphan(docker_id=request.POST.get("container", ""), actor=actor_of(request))
    return f"The project {project.name} was made for it, over {project.path}; the host's credentials are not lent to it."


def _remove(request: HttpRequest) -> str:
    return f"The container {remove_stray(docker_id=request.POST.get('container', ''), actor=actor_of(request))} was removed."


def _forget(request: HttpRequest) -> str:
    project = Project.objects.filter(slug=request.POST.get("project", "")).first()
    if project is None:
        raise Http404("There is no such project.")
    forget_missing(project=project, actor=actor_of(request))
    return f"The missing container of {project.name} is forgotten; none is wanted until somebody ensures one."


def _look(request: HttpRequest) -> str:
    report = reconcile(actor=actor_of(request))
    return f"Looked: {len(report.changed)} had changed, {len(report.adopted)} were adopted."


_DRIFT: dict[str, Callable[[HttpRequest], str]] = {"adopt": _adopt, "remove": _remove, "forget": _forget, "look": _look}


def _ask(
    request: HttpRequest, find: Callable[[], list[tuple[str, str, str]]], *, back: str, keeps: tuple[str, ...] = KEEPS, **words: Any
) -> HttpResponse:
    """The page that names each thing (its value, name and project) and the loss; without a thing there is nothing to ask."""
    try:
        things = find()
    except EngineError as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    return render(request, "system/confirm.html", {"things": things, "keeps": keeps, "back": back, **words})


def _urgency(finding: Finding) -> int:
    """What is wrong first, then what could not be told, then what is well."""
    if finding.ok is False:
        return 0 if finding.severity is Severity.ERROR else 1
    return 2 if finding.ok is None else 3
