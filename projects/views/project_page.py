"""What every page of a project shows: its name, how its container is, and the way to the other pages."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string

from projects.access import AccessDenied, Permission, demand
from projects.consumers.live import Fragments
from projects.models import Project
from projects.services.project_list import with_surroundings
from projects.views.live import live
from projects.views.lookup import project_or_404


def shown_project(user: Any, slug: str) -> Any:
    """The project with what lists show beside it. Raises Http404."""
    project = project_or_404(user, slug)
    return with_surroundings(Project.objects.filter(pk=project.pk)).get()


def page(request: HttpRequest, template: str, place: str, project: Any, context: dict[str, Any], status: int = 200) -> HttpResponse:
    return render(request, f"projects/{template}.html", {"project": project, "place": place, **context}, status=status)


def head(project: Any) -> Fragments:
    """The live part of the header."""
    return {"project-state": render_to_string("projects/state.html", {"project": project})}


def only_head(*url_names: str) -> None:
    """Pages of which nothing but the header is live."""
    for url_name in url_names:
        live(url_name)(_head)


def _head(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    return head(shown_project(user, kwargs["slug"]))


def why_not(user: Any, permission: Permission, project: Project) -> str:
    """A sentence for who may not; empty for who may."""
    try:
        demand(user, permission, project)
    except AccessDenied as error:
        return str(error)
    return ""


def live_page(url_name: str, build: Callable[[Any, str, QueryDict], dict[str, Any]], *parts: tuple[str, str]) -> None:
    """Registers a page whose live parts are (element id, template), all rendered from what `build` gives; with the header."""

    def fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
        context = build(user, kwargs["slug"], query)
        return head(context["project"]) | {element: render_to_string(f"projects/{template}.html", context) for element, template in parts}

    live(url_name)(fragments)
