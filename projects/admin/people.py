"""Keys: API tokens and tokens for git servers. What is secret is shown once, or never."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from projects.access import Permission, configurable_projects, is_administrator, may, visible_projects
from projects.admin.base import ServiceAdmin
from projects.models import ApiToken, GitCredential
from projects.services.errors import BadInput
from projects.services.git_credentials import checked_host, remove_git_credential, set_git_credential
from projects.services.record import Actor
from projects.services.tokens import make_token, revoke_token


@admin.register(ApiToken)
class ApiTokenAdmin(ServiceAdmin):
    """Everybody's own; administrators see all and can revoke them. A new one is always one's own."""

    list_display = ("name", "start", "user", "created_at", "expires_at", "last_used_at", "revoked_at")
    list_select_related = ("user",)
    fields = ("name", "expires_at")
    actions = ("revoke",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        return rows if is_administrator(request.user) else rows.filter(user=request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return True

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        token, key = make_token(user=user, name=obj.name, expires_at=obj.expires_at, actor=Actor.of(user))
        obj.__dict__.update(token.__dict__)
        self.message_user(request, f"The key of {token.name}, shown this once only: {key}", messages.WARNING)

    @admin.action(description="Revoke the selected tokens")
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        user: Any = request.user
        for token in queryset.select_related("user"):
            revoke_token(token=token, actor=Actor.of(user))
            self.message_user(request, f"{token} opens nothing any more.")


class GitCredentialForm(forms.ModelForm):  # type: ignore[type-arg]
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
class GitCredentialAdmin(ServiceAdmin):
    list_display = ("project", "host", "username", "created_at")
    list_select_related = ("project",)
    form = GitCredentialForm

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user)).defer("token")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("project", "host", "username") if obj else ("project", "host", "username", "token")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "project":
            kwargs["queryset"] = configurable_projects(request.user)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return configurable_projects(request.user).exists()

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # set it anew instead

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return obj is None or may(request.user, Permission.CONFIGURE, obj.project)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        user: Any = request.user
        row = set_git_credential(project=obj.project, host=obj.host, token=obj.token, username=obj.username, actor=Actor.of(user))
        obj.pk = row.pk

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        user: Any = request.user
        remove_git_credential(project=obj.project, host=obj.host, actor=Actor.of(user))
