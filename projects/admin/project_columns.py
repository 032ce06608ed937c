"""The list of projects: its columns and filters, without a query per row."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from projects.access import visible_projects
from projects.admin.links import NOTHING, age, ago, badge
from projects.models import Membership
from projects.services.exit_codes import exit_words
from projects.services.project_list import usage_of_many
from projects.states import Health, Role, Status

_MB = 1024 * 1024


class OwnerFilter(admin.SimpleListFilter):
    title = "owner"
    parameter_name = "owner"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        mine = Membership.objects.filter(role=Role.OWNER, project__in=visible_projects(request.user)).values("user")
        users = get_user_model().objects.filter(pk__in=mine).order_by("username")
        return [(str(user.pk), user.get_username()) for user in users]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        value = self.value()
        if value is None or value not in {pk for pk, _ in self.lookup_choices}:
            return queryset
        return queryset.filter(pk__in=Membership.objects.filter(role=Role.OWNER, user_id=int(value)).values("project"))


class BusyFilter(admin.SimpleListFilter):
    title = "busy"
    parameter_name = "busy"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "A command is running"), ("no", "No command is running")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in ("yes", "no"):
            return queryset
        return queryset.filter(running_commands__gt=0) if self.value() == "yes" else queryset.filter(running_commands=0)


class ProjectChangeList(ChangeList):
    """What the rows of this page use is asked once for all of them."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        self.result_list = list(self.result_list)
        if request.method == "GET":
            usages = usage_of_many(self.result_list)
            for project in self.result_list:
                project.usage = usages.get(project.docker_id)


class ProjectColumns:
    """Each reads what `with_surroundings` and the change list put beside the row."""

    @admin.display(description="project", ordering="slug")
    def project(self, row: Any) -> str:
        if row.name == row.slug:
            return str(row.slug)
        return format_html('{}<span class="quiet second">{}</span>', row.slug, row.name)

    @admin.display(description="container", ordering="status")
    def container(self, row: Any) -> SafeString:
        """Status with the reason of its end, health while it runs, and what is under way."""
        parts = [badge(row.status, status_words(row))]
        if row.status == Status.RUNNING and row.health != Health.NONE:
            parts.append(badge(row.health))
        if row.pending_action:
            parts.append(badge("starting", f"{row.pending_action} under way"))
        return format_html_join(" ", "{}", ((part,) for part in parts))

    @admin.display(description="age", ordering="container_created_at")
    def container_age(self, row: Any) -> str:
        return age(row.container_created_at)

    @admin.display(description="memory", ordering="memory_limit_mb")
    def memory(self, row: Any) -> str:
        usage = getattr(row, "usage", None)
        if usage is None:
            return f"limit {_size(row.memory_limit_mb)}"
        limit = usage.memory_limit_bytes / _MB if usage.memory_limit_bytes else row.memory_limit_mb
        used = usage.memory_bytes / _MB
        text = f"{_size(used)} of {_size(limit)}"
        percent = round(100 * used / limit)
        return format_html('{}<meter min="0" max="100" high="80" value="{}" aria-label="{}"></meter>', text, percent, text)

    @admin.display(description="busy", ordering="running_commands")
    def busy(self, row: Any) -> str:
        running = row.running_commands
        if not running:
            return NOTHING
        return badge("starting", "1 command" if running == 1 else f"{running} commands")

    @admin.display(description="last activity", ordering="last_activity_at")
    def last_activity(self, row: Any) -> str:
        return ago(row.last_activity_at)

    @admin.display(description="owners")
    def owners(self, row: Any) -> str:
        return ", ".join(membership.user.get_username() for membership in row.owner_memberships) or NOTHING

    @admin.display(description="pinned", ordering="pinned")
    def stays(self, row: Any) -> str:
        return "yes" if row.pinned else NOTHING

    @admin.display(description="lends", ordering="uses_host_credentials")
    def lends(self, row: Any) -> str:
        return "yes" if row.uses_host_credentials else NOTHING


def status_words(row: Any) -> str:
    """ "Exited (137): out of memory" where it ended, else the status."""
    if row.status == Status.NONE:
        return "no container"
    if row.status in (Status.EXITED, Status.DEAD) and row.container_exit_code is not None:
        return exit_words(row.container_exit_code, oom_killed=bool(row.container_oom_killed))
    return str(row.status)


def _size(megabytes: float) -> str:
    return f"{megabytes / 1024:.3g} GB" if megabytes >= 1024 else f"{megabytes:.0f} MB"
