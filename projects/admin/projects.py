"""Projects: made and changed through the catalog, their containers through the lifecycle."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.access import Permission, demand, is_administrator, may, may_create_projects, visible_projects
from projects.admin.base import REFUSALS, ServiceAdmin
from projects.models import Membership, Project
from projects.services import catalog, lifecycle
from projects.services.environment import checked_environment
from projects.services.errors import BadInput
from projects.services.record import Actor
from projects.services.workspace import checked_path

SETTINGS = ("name", "image", "cpu_limit", "memory_limit_mb", "pids_limit", "environment", "uses_host_credentials", "pinned")
OBSERVED = ("slug", "status", "status_at", "health", "health_at", "wanted", "pending_action", "last_error", "docker_id", "created_at")


class ProjectForm(forms.ModelForm):  # type: ignore[type-arg]
    """Says early, beside its field, what the catalog would refuse."""

    class Meta:
        model = Project
        fields = (*SETTINGS, "path")

    def clean_path(self) -> str:
        return str(self._asked(checked_path, self.cleaned_data["path"]))

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


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.fields["user"].disabled = True

    class Meta:
        model = Membership
        fields = ("user", "role")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    model = Membership
    form = MembershipForm
    extra = 1

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is not None and may(request.user, Permission.CONFIGURE, obj)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_change_permission(request, obj)


@admin.register(Project)
class ProjectAdmin(ServiceAdmin):
    form = ProjectForm
    list_display = ("slug", "name", "status", "health", "wanted", "pending_action", "path", "uses_host_credentials", "pinned")
    list_filter = ("status", "health", "pinned")
    search_fields = ("slug", "name", "path")
    actions = ("ensure", "refresh", "stop", "restart")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_projects(request.user).order_by("slug")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "path", *SETTINGS[1:], *OBSERVED) if obj else ("name", "path", *SETTINGS[1:])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        lending = () if is_administrator(request.user) else ("uses_host_credentials",)
        return (*lending, *(("path", *OBSERVED) if obj else ()))

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

    @admin.action(description="Ensure the containers run")
    def ensure(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._act(request, queryset, lifecycle.ensure_container)

    @admin.action(description="Refresh the containers (made anew, workspace kept)")
    def refresh(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._act(request, queryset, lifecycle.refresh_container)

    @admin.action(description="Stop the containers")
    def stop(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._act(request, queryset, lifecycle.stop_container)

    @admin.action(description="Restart the containers")
    def restart(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        self._act(request, queryset, lifecycle.restart_container)

    def _act(self, request: HttpRequest, queryset: QuerySet[Project], use_case: Callable[..., lifecycle.ContainerAnswer]) -> None:
        for project in queryset:
            try:
                demand(request.user, Permission.OPERATE, project)
                answer = use_case(project=project, actor=_actor(request))
            except REFUSALS as error:
                self.message_user(request, f"{project.slug}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{project.slug}: container {answer.container_id or 'none'}, {answer.status}.")

    @contextmanager
    def _told_to(self, request: HttpRequest) -> Iterator[None]:
        try:
            yield
        except REFUSALS as error:
            self.message_user(request, str(error), messages.ERROR)


def _actor(request: HttpRequest) -> Actor:
    user: Any = request.user
    return Actor.of(user)
