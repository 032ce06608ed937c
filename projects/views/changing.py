"""Small changes of a project by a form each: authorised, asked about where something is lost, done by one service, told, and back."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from projects.access import Permission
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.errors import HubError
from projects.services.record import Actor
from projects.views.lookup import project_to

CONFIRMED = "confirmed"


@dataclass(frozen=True)
class Question:
    """What is asked before something is lost."""

    title: str
    verb: str
    loses: tuple[str, ...]
    keeps: tuple[str, ...] = ()


Change = Callable[[HttpRequest, Project, Actor], "str | Question"]


def changing(section: str, permission: Permission = Permission.CONFIGURE) -> Callable[[Change], Callable[..., HttpResponse]]:
    """A view of `change(request, project, actor)`, which answers what to say, or first a question; a refusal is told on the page.

    It leads back to that section of the settings.
    """

    def decorate(change: Change) -> Callable[..., HttpResponse]:
        @login_required
        @require_POST
        @sensitive_post_parameters()
        @wraps(change)
        def view(request: HttpRequest, slug: str) -> HttpResponse:
            user: Any = request.user
            project = project_to(user, permission, slug)
            back = f"{reverse('project-settings', args=[slug])}#{section}"
            try:
                answer = change(request, project, Actor.of(user))
            except (HubError, EngineError) as error:
                messages.error(request, str(error))
                return HttpResponseRedirect(back)
            if isinstance(answer, Question):
                return asked(request, project, answer, back)
            messages.success(request, answer)
            return HttpResponseRedirect(back)

        return view

    return decorate


def asked(request: HttpRequest, project: Project, question: Question, back: str) -> HttpResponse:
    """The page that asks, and sends the same again when it is answered."""
    ours = ("csrfmiddlewaretoken", CONFIRMED)
    again = [(name, value) for name in request.POST for value in request.POST.getlist(name) if name not in ours]
    context = {"project": project, "question": question, "again": again, "back": back, "action": request.path}
    return render(request, "projects/ask.html", context)


def is_confirmed(request: HttpRequest) -> bool:
    return request.POST.get(CONFIRMED) == "1"
