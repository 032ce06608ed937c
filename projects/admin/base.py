"""What the admin's pages share: changes through services, and pages that only show."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from projects.access import AccessDenied, is_administrator
from projects.engine.errors import EngineError
from projects.services.errors import HubError

REFUSALS = (AccessDenied, HubError, EngineError)


class ServiceAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Saves and deletes through services.

    Django wraps both views in a transaction; the services have their own, and hold locks and call the Engine outside of them.
    """

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return self._told(request, lambda: self._changeform_view(request, object_id, form_url, extra_context))  # type: ignore[attr-defined]

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return self._told(request, lambda: self._delete_view(request, object_id, extra_context))  # type: ignore[attr-defined]

    def _told(self, request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
        try:
            return view()
        except REFUSALS as error:
            self.message_user(request, str(error), messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        """Django would write this before the deletion, which a service may refuse; the event tells of it."""
        return []

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with them is the service's affair."""
        return [str(one) for one in objs], {}, set(), []

    def get_actions(self, request: HttpRequest) -> Any:
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)  # it deletes rows past the services
        return actions

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True  # the site asks for staff; each list shows what its reader may see

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return obj is None or self.get_queryset(request).filter(pk=obj.pk).exists()


class ReadOnlyAdmin(ServiceAdmin):
    """Shows what the hub wrote; nobody adds, changes or deletes it here."""

    actions = None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AdministratorsOnly(ReadOnlyAdmin):
    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)
