"""django-q2's own pages (schedules, queue, failures): whoever may write a schedule may run any code, so for administrators only."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django_q.admin import FailAdmin, QueueAdmin, ScheduleAdmin, TaskAdmin
from django_q.models import Failure, OrmQ, Schedule, Success

from projects.access import is_administrator


class ForAdministrators(admin.ModelAdmin):  # type: ignore[type-arg]
    """Whatever else is granted."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_administrator(request.user)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request.user) and bool(super().has_add_permission(request))


for model, theirs in ((Schedule, ScheduleAdmin), (Success, TaskAdmin), (Failure, FailAdmin), (OrmQ, QueueAdmin)):
    admin.site.unregister(model)
    admin.site.register(model, type(theirs.__name__, (ForAdministrators, theirs), {}))
