"""What the dashboard's buttons do to one project or several: always a POST, with a question first where something is lost."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from projects.access import AccessDenied, Permission, demand, may, visible_projects
from projects.engine.errors import EngineError
from projects.models import Batch, Project
from projects.services import batches, manifests
from projects.services.action_words import WITH_LAYER, WORDS
from projects.services.errors import HubError
from projects.services.record import Actor
from projects.states import BatchAction, ItemState

WAIT_SECONDS = 1.5
OFFERED = {
    BatchAction.ENSURE,
    BatchAction.START,
    BatchAction.STOP,
    BatchAction.RESTART,
    BatchAction.REFRESH,
    BatchAction.REMOVE_CONTAINER,
    BatchAction.CHECK_HEALTH,
}


@login_required
@require_POST
def act(request: HttpRequest) -> HttpResponse:
    """`action`, any number of `slug`, `next`; or `do` as "action slug", which one button can say.

    Projects that one may not see are not there.
    """
    name, slugs = request.POST.get("action", ""), request.POST.getlist("slug")
    if "do" in request.POST:
        name, _, slug = request.POST["do"].partition(" ")
        slugs = [slug]
    if name not in OFFERED:
        raise Http404("There is no such action.")
    action, back = BatchAction(name), _next(request)
    projects = list(visible_projects(request.user).filter(slug__in=slugs))
    if not projects:
        messages.warning(request, "Choose at least one project, then the action.")
        return HttpResponseRedirect(back)
    if WORDS[action].loses and "confirmed" not in request.POST:
        chosen = [(project, refusal(request.user, action, project)) for project in projects]
        losses = manifests.look_at_several(projects=[project for project, why in chosen if not why]) if action in WITH_LAYER else []
        possible = any(not why for _, why in chosen)
        context = {"words": WORDS[action], "action": action, "chosen": chosen, "back": back, "possible": possible, "losses": losses}
        return render(request, "dashboard/confirm.html", context)
    return _begun(request, action, projects, back)


def refusal(user: Any, action: BatchAction, project: Project) -> str:
    """Why this user may not, in a sentence; or nothing."""
    try:
        demand(user, batches.NEEDED[action], project)
    except AccessDenied as error:
        return str(error)
    return ""


def may_operate(user: Any, project: Project) -> bool:
    return may(user, Permission.OPERATE, project)


def _begun(request: HttpRequest, action: BatchAction, projects: list[Project], back: str) -> HttpResponse:
    user: Any = request.user
    try:
        batch = batches.start_batch(projects=projects, action=action, actor=Actor.of(user))
    except (HubError, EngineError) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    if len(projects) > 1:
        return HttpResponseRedirect(reverse("batch", args=[batch.pk]))
    batches.wait_for_batch(batch=batch, seconds=WAIT_SECONDS)
    _tell(request, batch, projects[0])
    return HttpResponseRedirect(back)


def _tell(request: HttpRequest, batch: Batch, project: Project) -> None:
    item = batch.items.get()
    if item.state == ItemState.FAILED:
        messages.error(request, f"{project.name}: {item.message}")
    elif item.state == ItemState.DONE:
        messages.success(request, f"{project.name}: {item.message}")
    else:
        messages.info(
            request, f"{project.name}: {WORDS[BatchAction(batch.action)].verb.lower()} is under way; the page shows when it is done."
        )


def _next(request: HttpRequest) -> str:
    wanted = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()):
        return wanted
    return reverse("home")
