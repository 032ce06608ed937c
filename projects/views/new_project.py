"""A new project: over a directory that is there, or from the address of a git repository that is cloned first."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects.access import demand_project_creator, is_administrator, may_create_projects, visible_clones, visible_projects
from projects.models import Clone, Project
from projects.models.project import default_cpu_limit, default_memory_limit_mb
from projects.services.batches import start_batch
from projects.services.catalog import NAME_LENGTH, create_project
from projects.services.clones import cancel_clone, start_clone
from projects.services.discovery import discover_projects
from projects.services.git_credentials import TOKEN_MAX_CHARACTERS
from projects.services.git_url import MOST_CHARACTERS
from projects.services.proposal import propose
from projects.services.workspace import PATH_MAX_CHARACTERS
from projects.states import BatchAction, CloneState
from projects.views.answering import REFUSALS, actor_of, allowed, told

DIRECTORY, GIT = "directory", "git"


class SettingsForm(forms.Form):
    """What both ways ask for. The services check it; here only the form of it is."""

    name = forms.CharField(required=False, max_length=NAME_LENGTH)
    image = forms.CharField(required=False, max_length=255)
    cpu_limit = forms.FloatField(initial=default_cpu_limit, min_value=0.01, max_value=1024)
    memory_limit_mb = forms.IntegerField(initial=default_memory_limit_mb, min_value=6, max_value=16 * 1024**2)
    lend = forms.BooleanField(required=False, initial=True)
    ensure = forms.BooleanField(required=False, initial=True)

    def settings(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {key: given[key] for key in ("image", "cpu_limit", "memory_limit_mb")} | {"uses_host_credentials": given["lend"]}


class DirectoryForm(SettingsForm):
    path = forms.CharField(max_length=PATH_MAX_CHARACTERS, strip=True, error_messages={"required": "Choose a repository, or type a path."})


class GitForm(SettingsForm):
    url = forms.CharField(max_length=MOST_CHARACTERS, error_messages={"required": "Give the address of the repository."})
    token = forms.CharField(required=False, max_length=TOKEN_MAX_CHARACTERS)
    path = forms.CharField(required=False, max_length=PATH_MAX_CHARACTERS)


@sensitive_post_parameters("token")
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """`from` in the address says which of the two ways; `path` and `name` fill the form."""
    way = GIT if request.GET.get("from") == GIT else DIRECTORY
    kind = GitForm if way == GIT else DirectoryForm
    if request.method != "POST":
        given = {name: request.GET[name] for name in ("path", "name", "url") if name in request.GET}
        return _page(request, way, kind(initial=given))
    allowed(lambda: demand_project_creator(request.user))
    form = kind(request.POST)
    if form.is_valid():
        try:
            return _cloned(request, form) if isinstance(form, GitForm) else _made(request, form)
        except REFUSALS as error:
            form.add_error(None, str(error))
    return _page(request, way, form)


@login_required
@require_safe
def check(request: HttpRequest) -> JsonResponse:
    """A path, while it is typed: the sentence that making a project over it would answer."""
    allowed(lambda: demand_project_creator(request.user))
    found = propose(path=request.GET.get("path", ""), name=request.GET.get("name", "")[:NAME_LENGTH])
    answer = {"path": found.path, "name": found.name, "slug": found.slug, "problem": found.problem, "warning": found.warning}
    return JsonResponse(answer, headers={"Cache-Control": "no-store"})


@login_required
@require_safe
def clone(request: HttpRequest, pk: int) -> HttpResponse:
    """A clone as it stands; it goes on whether anybody looks or not."""
    found = _clone_or_404(request, pk)
    project = visible_projects(request.user).filter(pk=found.project_id).first() if found.project_id else None
    place = _place_of(project) if project else ""
    context = {"clone": found, "running": not found.over, "project": project, "place": place, "failed": found.state == CloneState.FAILED}
    return render(request, "new_project/clone.html", context)


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    found = _clone_or_404(request, pk)

    def work() -> str:
        cancel_clone(clone=found, actor=actor_of(request))
        return "The clone is told to end; that takes a few seconds."

    return told(request, work, back=reverse("clone", args=[pk]))


def _made(request: HttpRequest, form: DirectoryForm) -> HttpResponse:
    path = form.cleaned_data["path"]
    name = form.cleaned_data["name"] or path.rstrip("/").rpartition("/")[2]
    project = create_project(actor=actor_of(request), name=name, path=path, **form.settings())
    said = f"The project {project.name} was made over {project.path}."
    if form.cleaned_data["ensure"]:
        start_batch(projects=[project], action=BatchAction.ENSURE, actor=actor_of(request))
        said += " Its container is being made."
    messages.success(request, said)
    return HttpResponseRedirect(_place_of(project))


def _cloned(request: HttpRequest, form: GitForm) -> HttpResponse:
    given = form.cleaned_data
    begun = start_clone(
        actor=actor_of(request),
        url=given["url"],
        name=given["name"],
        path=given["path"],
        token=given["token"],
        ensure=given["ensure"],
        **form.settings(),
    )
    return HttpResponseRedirect(reverse("clone", args=[begun.pk]))


def _page(request: HttpRequest, way: str, form: SettingsForm) -> HttpResponse:
    may = may_create_projects(request.user)
    context = {
        "way": way,
        "form": form,
        "may_create": may,
        "may_lend": is_administrator(request.user),
        "roots": settings.CONTAINERHUB.workspace_roots,
        "base_image": settings.CONTAINERHUB.base_image,
        "discovered": discover_projects() if may and way == DIRECTORY else [],
        "clones": Clone.objects.filter(actor_id=request.user.pk, finished_at__isnull=True) if may else [],
    }
    return render(request, "new_project/new.html", context)


def _place_of(project: Project) -> str:
    try:
        return reverse("project", args=[project.slug])
    except NoReverseMatch:
        return reverse("home")


def _clone_or_404(request: HttpRequest, pk: int) -> Clone:
    found = visible_clones(request.user).filter(pk=pk).first()
    if found is None:
        raise Http404("There is no such clone, or it is not yours.")
    return found
