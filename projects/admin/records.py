"""What the hub wrote down: containers, runs, events, builds, and its own signs of life. Only to read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from projects.access import visible_events, visible_projects
from projects.admin.base import AdministratorsOnly, ReadOnlyAdmin
from projects.models import CommandRun, Container, Event, Heartbeat, ImageBuild, Instance
from projects.services import spool
from projects.services.images import build_log

SHOWN_BYTES = 64 * 1024


@admin.register(Container)
class ContainerAdmin(ReadOnlyAdmin):
    list_display = ("name", "short_id", "project", "generation", "image", "created_at", "removed_at", "end_reason")
    list_select_related = ("project",)
    search_fields = ("name", "docker_id", "project__slug")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))


@admin.register(CommandRun)
class CommandRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "project", "actor_name", "state", "exit_code", "short_command")
    list_filter = ("state", "purpose")
    list_select_related = ("project",)
    search_fields = ("command", "project__slug", "actor_name")
    readonly_fields = ("stdout", "stderr")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))

    @admin.display(description="command")
    def short_command(self, run: CommandRun) -> str:
        return run.command[:100]

    @admin.display(description="end of stdout")
    def stdout(self, run: CommandRun) -> str:
        return spool.tail(run, SHOWN_BYTES).stdout.decode(errors="replace")

    @admin.display(description="end of stderr")
    def stderr(self, run: CommandRun) -> str:
        return spool.tail(run, SHOWN_BYTES).stderr.decode(errors="replace")


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    list_display = ("at", "kind", "project_slug", "actor_name", "message")
    list_filter = ("kind",)
    search_fields = ("message", "project_slug", "actor_name")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return visible_events(request.user).order_by("-id")


@admin.register(ImageBuild)
class ImageBuildAdmin(AdministratorsOnly):
    list_display = ("id", "tag", "state", "step", "steps", "actor_name", "started_at", "finished_at")
    list_filter = ("state",)
    readonly_fields = ("log",)

    @admin.display(description="end of the log")
    def log(self, build: ImageBuild) -> str:
        return build_log(build)[-SHOWN_BYTES:].decode(errors="replace")


@admin.register(Heartbeat)
class HeartbeatAdmin(AdministratorsOnly):
    list_display = ("role", "started_at", "beat_at")


@admin.register(Instance)
class InstanceAdmin(AdministratorsOnly):
    list_display = ("uuid", "engine_reachable", "engine_seen_at")
