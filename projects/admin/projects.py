"""Projects: made and changed through the catalog, their containers through the lifecycle."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from projects.access import Permission, is_administrator, may, may_create_projects, visible_projects
from projects.admin.base import REFUSALS, ServiceAdmin
from projects.admin.links import link_to, link_to_list
from projects.admin.project_actions import ProjectActions
from projects.admin.project_columns import BusyFilter, OwnerFilter, ProjectChangeList, ProjectColumns
from projects.admin.refresh_words import REFRESH, REFRESH_HELP, REFRESH_LABELS, REFRESHING
from projects.models import CommandRun, Container, Event, Manifest, Membership, Project
from projects.services import catalog, lifecycle, manifests
from projects.services.action_words import DELETE, LENDING
from projects.services.catalog import checked_quiet_hours
from projects.services.environment import checked_environment
from projects.services.errors import BadInput
from projects.services.incarnations import current_row
from projects.services.project_list import with_surroundings
from projects.services.record import Actor
from projects.services.workspace import checked_path

LIMITS = ("image", "cpu_limit", "memory_limit_mb", "pids_limit", "environment")
SETTINGS = ("name", *LIMITS, *REFRESH, "uses_host_credentials")
OBSERVED = ("slug", "status", "status_at", "health", "health_at", "wanted", "pending_action", "last_error", "docker_id", "created_at")
RELATED = ("refresh_loses", "container_row", "containers", "runs", "events")


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """Says early, beside its field, what the catalog would refuse."""

    class Meta:
        model = Project
        fields = (*SETTINGS, "path")
        labels = {"cpu_limit": "CPU limit", "memory_limit_mb": "Memory limit (MB)", "pids_limit": "Process limit", **REFRESH_LABELS}
        help_texts = REFRESH_HELP

    def clean_path(self) -> str:
        return str(self._asked(checked_path, self.cleaned_data["path"]))

    def clean_refresh_quiet_hours(self) -> str:
        return str(self._asked(checked_quiet_hours, self.cleaned_data["refresh_quiet_hours"].strip()))

    def clean_environment(self) -> dict[str, str]:
        value = self.cleaned_data["environment"] or {}
        if not isinstance(value, dict):
            raise forms.ValidationError('Write the variables as a JSON object, for example {"TZ": "Europe/Berlin"}.')
        return dict(self._asked(checked_environment, value))

    @staticmethod
    def _asked(check: Callable[[Any], Any], value: Any) -> Any:
        try:
            return check(value)
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


class RelatedColumns:
    """From a project to what belongs to it."""

    @admin.display(description="a refresh loses")
    def refresh_loses(self, row: Project) -> str:
        """Now, and at the last refresh."""
        now: manifests.ManifestView | None = getattr(row, "manifest_now", None)
        last = Manifest.objects.filter(project=row).first()
        told = now.sentence if now is not None else "It is told when this page is opened again."
        if last is None:
            return told
        return format_html("{}<br>At the last refresh, {} UTC: {}", told, f"{last.at:%Y-%m-%d %H:%M}", manifests.view_of(last).sentence)

    @admin.display(description="container now")
    def container_row(self, row: Project) -> str:
        return link_to(current_row(row))

    @admin.display(description="containers")
    def containers(self, row: Project) -> str:
        return link_to_list(Container, f"All {row.containers.count()} that were made", project__id__exact=row.pk)

    @admin.display(description="command runs")
    def runs(self, row: Project) -> str:
        return link_to_list(CommandRun, f"All {row.runs.count()}", project__id__exact=row.pk)

    @admin.display(description="events")
    def events(self, row: Project) -> str:
        return link_to_list(Event, "What happened", project_slug__exact=row.slug)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("user", "role"):
            widget: Any = self.fields[name].widget
            getattr(widget, "widget", widget).attrs["aria-label"] = name.capitalize()  # the admin wraps some in another
        if self.instance.pk:
            self.fields["user"].disabled = True

    class Meta:
        model = Membership
        fields = ("user", "role")


class MembershipFormSet(BaseInlineFormSet):  # type: ignore[type-arg]
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "DELETE" in form.fields:
            form.fields["DELETE"].widget.attrs["aria-label"] = "Remove this member"


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    form = MembershipForm
    formset = MembershipFormSet
    extra = 1
    verbose_name, verbose_name_plural = "member", "members"

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Accounts are made and changed on their own pages, not from here."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field is not None and hasattr(field.widget, "can_add_related"):
            for way in ("add", "change", "delete", "view"):
                setattr(field.widget, f"can_{way}_related", False)
        return field

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and may(request.user, Permission.CONFIGURE, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Project)
class ProjectAdmin(ProjectColumns, RelatedColumns, ProjectActions, ServiceAdmin):
    form = ProjectForm
    list_display = (
        "project",
        "container",
        "container_age",
        "memory",
        "busy",
        "last_activity",
        "owners",
        "stays",
        "lends",
    )
    list_filter = ("status", "health", BusyFilter, "pinned", "uses_host_credentials", OwnerFilter)
    search_fields = ("slug", "name", "path")
    ordering = ("slug",)
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found = visible_projects(request.user)
        listing = request.resolver_match is not None and request.resolver_match.url_name == "projects_project_changelist"
        return with_surroundings(found) if listing else found

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> Any:
        return ProjectChangeList

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Projects", **(extra_context or {})})

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> HttpResponse:
        project = kwargs.get("obj")
        if project is not None and request.method == "GET":
            project.manifest_now = manifests.look_or_say(project=project)  # asked here, since no template may ask the Engine
        context["tools"] = self.object_tools(request, project) if project is not None and kwargs.get("change") else []
        return super().render_change_form(request, context, *args, **kwargs)

    def render_delete_form(self, request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
        return super().render_delete_form(request, {**context, "words": DELETE, "title": f"{DELETE.title} {context['object']}"})

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        settings = ("name", "path", *LIMITS)
        refreshing = ("Refreshed by itself", {"fields": REFRESH, "description": REFRESHING})
        lending = ("Credentials of the host", {"fields": ("uses_host_credentials",), "description": LENDING})
        if obj is None:
            return ((None, {"fields": settings}), refreshing, lending)
        return (
            ("What was seen", {"fields": OBSERVED}),
            ("What belongs to it", {"fields": RELATED}),
            ("Settings", {"fields": settings}),
            refreshing,
            lending,
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        lending = () if is_administrator(request.user) else ("uses_host_credentials",)
        return (*lending, *(("path", *OBSERVED, *RELATED) if obj else ()))

    def get_inlines(self, request: HttpRequest, obj: Any) -> Any:
        return [MembershipInline] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"uses_host_credentials": is_administrator(request.user), **super().get_changeform_initial_data(request)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return may_create_projects(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may(request.user, Permission.CONFIGURE, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may(request.user, Permission.CONFIGURE, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        fields = {key: form.cleaned_data[key] for key in SETTINGS if key in form.cleaned_data}
        if change:
            project = catalog.update_project(project=obj, actor=_actor(request), **fields)
        else:
            project = catalog.create_project(actor=_actor(request), path=form.cleaned_data["path"], **fields)
        obj.__dict__.update(project.__dict__)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Members, one by one: what is refused is told, the rest is done."""
        for member in formset.save(commit=False):
            with self._told_to(request):
                catalog.set_member(project=member.project, user=member.user, role=member.role, actor=_actor(request))
        for member in formset.deleted_objects:
            with self._told_to(request):
                catalog.remove_member(project=member.project, user=member.user, actor=_actor(request))

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        lifecycle.remove_project(project=obj, actor=_actor(request))

    @contextmanager
    def _told_to(self, request: HttpRequest) -> Iterator[None]:
        try:
            yield
        except REFUSALS as error:
            self.message_user(request, str(error), messages.ERROR)


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of(user)
