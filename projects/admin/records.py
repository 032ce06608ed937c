"""What the hub wrote down: containers, events, and its own signs of life. Only to read."""

import json
import uuid
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join

from projects.access import visible_events, visible_projects
from projects.admin.base import AdministratorsOnly, ReadOnlyAdmin
from projects.admin.links import NOTHING, link_to, link_to_list, link_to_pk
from projects.models import Clone, CommandRun, Container, Event, Heartbeat, Instance, Project, Tally, TerminalSession
from projects.services.exit_codes import exit_words

LIMITS = ("cpu_limit", "memory_limit_mb", "pids_limit")


@admin.register(Container)
class ContainerAdmin(ReadOnlyAdmin):
    """One row per incarnation."""

    list_display = ("name", "short_id", "project_link", "generation", "image", "created_at", "removed_at", "ended", "end_reason")
    list_select_related = ("project",)
    list_filter = (("removed_at", admin.EmptyFieldListFilter), "oom_killed")
    search_fields = ("name", "docker_id", "project__slug", "end_reason")
    date_hierarchy = "created_at"
    fieldsets = (
        (None, {"fields": ("name", "docker_id", "project_link", "runs", "events", "created_at", "started_at")}),
        ("How it ended", {"fields": ("ended", "removed_at", "end_reason")}),
        (
            "What it was made from",
            {"fields": ("image", "image_id", "generation", *LIMITS, "spec_hash")},
        ),
        ("Mounts and notes", {"fields": ("mounts_shown", "notes_shown", "setup_link")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    @admin.display(description="project", ordering="project__slug")
    def project_link(self, row: Container) -> str:
        return link_to(row.project)

    @admin.display(description="exit")
    def ended(self, row: Container) -> str:
        return exit_words(row.exit_code, oom_killed=row.oom_killed) if row.exit_code is not None else NOTHING

    @admin.display(description="command runs")
    def runs(self, row: Container) -> str:
        return link_to_list(CommandRun, f"All {row.runs.count()} in this container", container__id__exact=row.pk)

    @admin.display(description="events")
    def events(self, row: Container) -> str:
        return link_to_list(Event, "Of this container", q=row.short_id)

    @admin.display(description="setup run")
    def setup_link(self, row: Container) -> str:
        return link_to(row.setup_run)

    @admin.display(description="mounts")
    def mounts_shown(self, row: Container) -> str:
        lines = ((m.get("source") or m.get("name") or "?", m.get("target"), "ro" if m.get("read_only") else "rw") for m in row.mounts)
        return format_html('<ul class="plain">{}</ul>', format_html_join("", "<li><code>{}</code> at <code>{}</code> ({})</li>", lines))

    @admin.display(description="left out")
    def notes_shown(self, row: Container) -> str:
        return format_html_join("", "<p>{}</p>", ((note,) for note in row.notes)) or NOTHING


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "project_link", "actor_name", "message")
    list_filter = ("kind",)
    search_fields = ("message", "project_slug", "actor_name")
    date_hierarchy = "at"
    show_full_result_count = False
    fields = readonly_fields = ("at", "kind", "project_link", "actor_name", "message", "run_link", "container_link", "details_shown")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        same = visible_projects(request.user).filter(slug=OuterRef("project_slug"), created_at__lte=OuterRef("at"))
        return visible_events(request.user).annotate(project_pk=Subquery(same.values("pk")[:1])).order_by("-id")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """Links lead only to what its reader may see."""
        event: Any = super().get_object(request, object_id, from_field)
        if event is not None:
            mine = visible_projects(request.user)
            event.run_row = CommandRun.objects.filter(pk=str(event.details.get("run") or uuid.UUID(int=0)), project__in=mine).first()
            event.container_row = Container.objects.filter(docker_id=event.details.get("docker_id") or "-", project__in=mine).first()
        return event

    @admin.display(description="project", ordering="project_slug")
    def project_link(self, event: Any) -> str:
        return link_to_pk(Project, event.project_pk, event.project_slug) if event.project_pk else event.project_slug or NOTHING

    @admin.display(description="command run")
    def run_link(self, event: Any) -> str:
        return link_to(event.run_row)

    @admin.display(description="container")
    def container_link(self, event: Any) -> str:
        return link_to(event.container_row)

    @admin.display(description="details")
    def details_shown(self, event: Event) -> str:
        return format_html('<pre class="output" tabindex="0">{}</pre>', json.dumps(event.details, indent=2, ensure_ascii=False))


@admin.register(Heartbeat)
class HeartbeatAdmin(AdministratorsOnly):
    list_display = ("role", "started_at", "beat_at")


@admin.register(Tally)
class TallyAdmin(AdministratorsOnly):
    list_display = ("name", "labels", "count", "total")
    list_filter = ("name",)


@admin.register(Clone)
class CloneAdmin(AdministratorsOnly):
    """Begun and followed on the dashboard. The token is shown nowhere."""

    list_display = ("id", "url", "state", "project_link", "actor_name", "created_at", "finished_at")
    list_select_related = ("project",)
    list_filter = ("state",)
    search_fields = ("url", "path", "actor_name")
    date_hierarchy = "created_at"
    fields = ("url", "name", "path", "fields", "ensure", "state", "message", "output", "project_link", "actor_name", "cancelled_by")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer("token")

    @admin.display(description="project", ordering="project__slug")
    def project_link(self, row: Clone) -> str:
        return link_to(row.project)


@admin.register(Instance)
class InstanceAdmin(AdministratorsOnly):
    list_display = ("uuid", "engine_reachable", "engine_seen_at")


@admin.register(TerminalSession)
class TerminalSessionAdmin(ReadOnlyAdmin):
    list_display = ("name", "project_link", "created_by_name", "created_at", "last_input_at", "last_output_at", "closed_at")
    list_select_related = ("project",)
    list_filter = (("closed_at", admin.EmptyFieldListFilter),)
    search_fields = ("name", "project__slug", "created_by_name")
    fields = ("name", "project_link", "created_by_name", "created_at", "last_input_at", "last_output_at", "closed_at")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))

    @admin.display(description="project", ordering="project__slug")
    def project_link(self, row: TerminalSession) -> str:
        return link_to(row.project)
