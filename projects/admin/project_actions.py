"""What may be done to projects: over a selection, or to one from its page. Always a POST; what loses something asks first."""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.views.decorators.http import require_POST

from projects.access import AccessDenied, demand, demand_administrator, is_administrator, visible_projects
from projects.admin.base import REFUSALS
from projects.admin.export import csv_of
from projects.models import Project
from projects.services import batches, images, manifests
from projects.services.action_words import WITH_LAYER, WORDS
from projects.services.project_list import with_surroundings
from projects.services.record import Actor
from projects.services.spec import WORKSPACE
from projects.states import BatchAction

ACTIONS = ("ensure", "start", "refresh", "stop", "restart", "check_health", "run_command", "remove_container", "build_image", "export_csv")
PRIMARY_KEY = re.compile(r"[0-9]{1,18}")
SMALL = 5
SHORT_SECONDS = 2.5
DEFAULT_SECONDS = 60


class CommandForm(forms.Form):
    """One command for all of them."""

    command = forms.CharField(
        max_length=100_000,
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField", "spellcheck": "false", "autofocus": True}),
        help_text="A shell command, run as claude in each container.",
    )
    workdir = forms.CharField(
        initial=WORKSPACE, max_length=1000, label="Working directory", widget=forms.TextInput(attrs={"class": "vTextField"})
    )
    timeout_seconds = forms.IntegerField(
        initial=DEFAULT_SECONDS,
        min_value=1,
        max_value=batches.MOST_COMMAND_SECONDS,
        label="Timeout (seconds)",
        help_text=f"From 1 to {batches.MOST_COMMAND_SECONDS}; then the command and everything it started is ended.",
    )


class ProjectActions(admin.ModelAdmin):  # type: ignore[type-arg]
    """The actions of `ProjectAdmin`."""

    actions = ACTIONS

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("act/", view(require_POST(self.act_view)), name="projects_project_act"),
            path("<int:pk>/act/<slug:action>/", view(require_POST(self.act_on_one_view)), name="projects_project_act_on_one"),
            *super().get_urls(),
        ]

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        if not is_administrator(request.user):
            actions.pop("build_image", None)
        return actions

    def act_view(self, request: HttpRequest) -> HttpResponse:
        """Behind the confirm page and the command's form. Projects that one may not see are not there."""
        chosen = [int(pk) for pk in request.POST.get("projects", "").split(",") if PRIMARY_KEY.fullmatch(pk)]
        return self._ask(request, _action_named(request.POST.get("action", "")), self.get_queryset(request).filter(pk__in=chosen))

    def act_on_one_view(self, request: HttpRequest, pk: int, action: str) -> HttpResponse:
        found = self.get_queryset(request).filter(pk=pk)
        if not found.exists():
            raise Http404
        return self._ask(request, _action_named(action), found, back=reverse("admin:projects_project_change", args=[pk]))

    def object_tools(self, request: HttpRequest, project: Project) -> list[dict[str, str]]:
        """The buttons of a project's page; `reason` says why one cannot be pressed."""
        return [
            {
                "verb": WORDS[action].verb,
                "url": reverse("admin:projects_project_act_on_one", args=[project.pk, action]),
                "reason": _refusal(request, action, project),
            }
            for action in BatchAction
        ]

    def _ask(self, request: HttpRequest, action: BatchAction, queryset: QuerySet[Project], *, back: str = "") -> HttpResponse:
        """The page that asks, or the batch when it was answered."""
        projects = list(_chosen(request, queryset))
        back = back or reverse("admin:projects_project_changelist")
        if not projects:
            self.message_user(request, "None of these projects is there any more; choose others.", messages.WARNING)
            return HttpResponseRedirect(back)
        answered = "confirmed" in request.POST
        if action is BatchAction.RUN_COMMAND:
            form = CommandForm(request.POST) if answered else CommandForm()
            if not answered or not form.is_valid():
                return self._page(request, "command", action, projects, back, form=form)
            return self._begin(request, action, projects, back, **form.cleaned_data)
        if WORDS[action].loses and not answered:
            return self._page(request, "confirm", action, projects, back)
        return self._begin(request, action, projects, back)

    def _page(self, request: HttpRequest, name: str, action: BatchAction, projects: list[Project], back: str, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": WORDS[action].title,
            "words": WORDS[action],
            "action": action,
            "chosen": [{"project": project, "reason": _refusal(request, action, project)} for project in projects],
            "losses": manifests.look_at_several(projects=projects) if action in WITH_LAYER else [],
            "projects": ",".join(str(project.pk) for project in projects),
            "back": back,
            **more,
        }
        return TemplateResponse(request, f"admin/projects/project/{name}.html", context)

    def _begin(self, request: HttpRequest, action: BatchAction, projects: list[Project], back: str, **details: Any) -> HttpResponse:
        user: Any = request.user
        try:
            batch = batches.start_batch(projects=projects, action=action, actor=Actor.of(user), **details)
        except REFUSALS as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(back)
        if len(projects) <= SMALL:
            batches.wait_for_batch(batch=batch, seconds=SHORT_SECONDS)
        return HttpResponseRedirect(reverse("admin:projects_batch_progress", args=[batch.pk]))

    # -- over a selection

    @admin.action(description="Ensure the containers run")
    def ensure(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.ENSURE, queryset)

    @admin.action(description="Start the containers")
    def start(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.START, queryset)

    @admin.action(description="Refresh the containers (made anew, workspace kept) …")
    def refresh(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.REFRESH, queryset, back=request.get_full_path())

    @admin.action(description="Stop the containers …")
    def stop(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.STOP, queryset, back=request.get_full_path())

    @admin.action(description="Restart the containers …")
    def restart(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.RESTART, queryset, back=request.get_full_path())

    @admin.action(description="Check the health")
    def check_health(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.CHECK_HEALTH, queryset)

    @admin.action(description="Run a command …")
    def run_command(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.RUN_COMMAND, queryset, back=request.get_full_path())

    @admin.action(description="Remove the containers (workspace kept) …")
    def remove_container(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return self._ask(request, BatchAction.REMOVE_CONTAINER, queryset, back=request.get_full_path())

    @admin.action(description="Build the base image that they are made from")
    def build_image(self, request: HttpRequest, queryset: QuerySet[Project]) -> HttpResponse:
        return begin_build(self, request, no_cache=False, back=request.get_full_path())

    @admin.action(description="Export as CSV")
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Project]) -> Any:
        return csv_of(_chosen(request, queryset))


def _chosen(request: HttpRequest, queryset: QuerySet[Project]) -> QuerySet[Project]:
    """These projects, as far as they may be seen, with what the pages show beside them."""
    pks = list(queryset.values_list("pk", flat=True))
    return with_surroundings(visible_projects(request.user).filter(pk__in=pks)).order_by("slug")


def begin_build(model_admin: Any, request: HttpRequest, *, no_cache: bool, back: str) -> HttpResponse:
    """Start a build of the base image, and go to its page."""
    user: Any = request.user
    try:
        demand_administrator(user)
        build = images.start_build(actor=Actor.of(user), no_cache=no_cache)
    except REFUSALS as error:
        model_admin.message_user(request, str(error), messages.ERROR)
        return HttpResponseRedirect(back)
    return HttpResponseRedirect(reverse("admin:projects_imagebuild_change", args=[build.pk]))


def _action_named(name: str) -> BatchAction:
    try:
        return BatchAction(name)
    except ValueError:
        raise Http404 from None


def _refusal(request: HttpRequest, action: BatchAction, project: Project) -> str:
    try:
        demand(request.user, batches.NEEDED[action], project)
    except AccessDenied as error:
        return str(error)
    return ""
