"""API tokens. A key is shown once."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from projects.access import is_administrator
from projects.admin.base import ServiceAdmin
from projects.models import ApiToken
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
