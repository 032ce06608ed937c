"""Who belongs to a project, and the removal of it, by its settings page."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from projects.access import Permission
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services import catalog, lifecycle
from projects.services.action_words import DELETE
from projects.services.errors import HubError
from projects.services.people import find_active_user, find_user
from projects.services.record import Actor
from projects.views.changing import Question, asked, changing, is_confirmed
from projects.views.lookup import project_to

KEPT = ("The account itself, and what it may do elsewhere.", "What was done in the project, and the events that tell of it.")


@changing("members")
def members(request: HttpRequest, project: Project, actor: Actor) -> str | Question:
    name, taken_out = request.POST.get("username", "").strip(), request.POST.get("do") == "remove"
    user = find_user(name) if taken_out else find_active_user(name)
    if not taken_out:
        member, new = catalog.set_member(project=project, user=user, role=request.POST.get("role", ""), actor=actor)
        return f"{name} is {'a new member: ' if new else 'now '}{member.role} of {project.name}."
    if not is_confirmed(request):
        loses = (f"{name} can no longer see the project; open pages and terminals of it end within 30 seconds.",)
        return Question(f"Take {name} out of {project.name}?", "Take out", loses, KEPT)
    catalog.remove_member(project=project, user=user, actor=actor)
    return f"{name} is no longer a member of {project.name}."


@login_required
@require_POST
def remove(request: HttpRequest, slug: str) -> HttpResponse:
    """The project itself; its directory stays."""
    user: Any = request.user
    project = project_to(user, Permission.CONFIGURE, slug)
    back = f"{reverse('project-settings', args=[slug])}#remove"
    if not is_confirmed(request):
        question = Question(f"Remove the project {project.name} ({project.slug})?", "Remove project", DELETE.loses, DELETE.keeps)
        return asked(request, project, question, back)
    try:
        lifecycle.remove_project(project=project, actor=Actor.of(user))
    except (HubError, EngineError) as error:
        messages.error(request, str(error))
        return HttpResponseRedirect(back)
    messages.success(request, f"The project {project.name} was removed; its directory {project.path} stays.")
    return HttpResponseRedirect(reverse("home"))
