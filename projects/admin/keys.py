"""What a project holds in confidence: git tokens, its deploy key and its secrets. Only a key's public half is ever shown."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse

from projects.access import Permission, configurable_projects, demand, may, visible_projects
from projects.admin.base import REFUSALS, ServiceAdmin
from projects.models import DeployKey, GitCredential, ProjectSecret
from projects.services.deploy_keys import make_deploy_key, remove_deploy_key, rotate_deploy_key
from projects.services.errors import BadInput
from projects.services.git_credentials import checked_host, remove_git_credential, set_git_credential
from projects.services.project_secrets import checked_secret_name, remove_secret, set_secret
from projects.services.record import Actor


class OfProjectAdmin(ServiceAdmin):
    """Rows of projects: seen by their members, made and removed by their owners, and never changed in place."""

    list_select_related = ("project",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = configurable_projects(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return configurable_projects(request.user).exists()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may(request.user, Permission.CONFIGURE, obj.project)


@admin.register(DeployKey)
class DeployKeyAdmin(OfProjectAdmin):
    list_display = ("project", "fingerprint", "created_at", "created_by_name")
    actions = ("rotate",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("private_key")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project", "public_key", "fingerprint", "created_by_name", "created_at") if obj else ("project",)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        row = make_deploy_key(project=obj.project, actor=Actor.of(user))
        obj.__dict__.update(row.__dict__)
        self.message_user(request, f"Give this line to the git server: {row.public_key}")

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        remove_deploy_key(project=obj.project, actor=Actor.of(user))

    @admin.action(description="Rotate the selected keys")
    def rotate(self, request: HttpRequest, queryset: QuerySet[DeployKey]) -> TemplateResponse | None:
        if "confirmed" not in request.POST:
            context = {**self.admin_site.each_context(request), "title": "Rotate deploy keys", "keys": queryset, "opts": self.opts}
            return TemplateResponse(request, "admin/projects/rotate_keys.html", context)
        user: Any = request.user
        for key in queryset:
            try:
                demand(user, Permission.CONFIGURE, key.project)
                row = rotate_deploy_key(project=key.project, actor=Actor.of(user))
            except REFUSALS as error:
                self.message_user(request, f"{key.project}: {error}", messages.ERROR)
            else:
                self.message_user(request, f"{key.project}: give this line to the git server: {row.public_key}")
        return None


class ReplacingForm(forms.ModelForm):  # type: ignore[type-arg]
    """What is set under a `key` that there is already takes its place: the service sees to it."""

    key = ""

    def _get_validation_exclusions(self) -> set[str]:
        """So that the constraint of one row per key refuses nothing here."""
        return {*super()._get_validation_exclusions(), self.key}  # type: ignore[misc]


class SecretForm(ReplacingForm):
    key = "name"
    value = forms.CharField(
        widget=forms.PasswordInput, strip=False, max_length=32_768, help_text="Write-only: to change it, set it again under its name."
    )

    class Meta:
        model = ProjectSecret
        fields = ("project", "name", "value")

    def clean_name(self) -> str:
        try:
            return checked_secret_name(self.cleaned_data["name"])
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(ProjectSecret)
class ProjectSecretAdmin(OfProjectAdmin):
    list_display = ("name", "project", "updated_at", "set_by_name")
    search_fields = ("name", "project__slug")
    form = SecretForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("value")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project", "name", "created_at", "updated_at", "set_by_name") if obj else ("project", "name", "value")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        row = set_secret(project=obj.project, name=obj.name, value=obj.value, actor=Actor.of(user))
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        remove_secret(project=obj.project, name=obj.name, actor=Actor.of(user))


class GitCredentialForm(ReplacingForm):
    key = "host"
    token = forms.CharField(widget=forms.PasswordInput, max_length=10_000, help_text="Write-only: it is shown nowhere again.")

    class Meta:
        model = GitCredential
        fields = ("project", "host", "username", "token")

    def clean_host(self) -> str:
        try:
            return checked_host(self.cleaned_data["host"])
        except BadInput as error:
            raise forms.ValidationError(str(error)) from error


@admin.register(GitCredential)
class GitCredentialAdmin(OfProjectAdmin):
    list_display = ("project", "host", "username", "created_at")
    form = GitCredentialForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("token")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project", "host", "username") if obj else ("project", "host", "username", "token")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        row = set_git_credential(project=obj.project, host=obj.host, token=obj.token, username=obj.username, actor=Actor.of(user))
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        remove_git_credential(project=obj.project, host=obj.host, actor=Actor.of(user))
