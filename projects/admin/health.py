"""How containers fared, and what was decided by it. Only to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.access import visible_projects
from projects.admin.base import AdministratorsOnly, ReadOnlyAdmin
from projects.models import Decision, HealthMemory, Lease, Manifest, Sample
from projects.services.manifests import view_of


class OfVisibleProjects(ReadOnlyAdmin):
    list_select_related = ("project",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))


@admin.register(Decision)
class DecisionAdmin(OfVisibleProjects):
    list_display = ("at", "project", "verdict", "rule", "cause", "reason", "last_at", "done")
    list_filter = ("verdict", "rule", "cause", "done")
    search_fields = ("project__slug", "reason", "outcome")
    date_hierarchy = "at"


@admin.register(Sample)
class SampleAdmin(OfVisibleProjects):
    list_display = ("at", "project", "span_seconds", "cpu_percent", "memory_mb", "memory_percent", "disk_percent", "layer_mb", "pids")
    list_filter = ("span_seconds",)
    search_fields = ("project__slug",)
    date_hierarchy = "at"
    show_full_result_count = False


@admin.register(Manifest)
class ManifestAdmin(OfVisibleProjects):
    """What refreshes took away."""

    list_display = ("at", "project", "loses", "reason")
    search_fields = ("project__slug", "reason")
    date_hierarchy = "at"
    fields = ("at", "project", "docker_id", "reason", "loses", "contents")

    @admin.display(description="taken away")
    def loses(self, row: Manifest) -> str:
        return view_of(row).sentence


@admin.register(HealthMemory)
class HealthMemoryAdmin(AdministratorsOnly):
    list_display = ("project", "layer_mb", "layer_at")
    list_select_related = ("project",)


@admin.register(Lease)
class LeaseAdmin(AdministratorsOnly):
    list_display = ("name", "holder", "expires_at")
