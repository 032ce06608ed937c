"""Command runs: what was run, how it ended, and the end of its output as text. The whole output is a download."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import path, reverse
from django.utils.html import format_html, format_html_join
from django.views.decorators.http import require_safe

from projects.access import visible_projects
from projects.admin.base import ReadOnlyAdmin
from projects.admin.links import NOTHING, badge, link_to, link_to_list
from projects.admin.output import shown
from projects.models import CommandRun, Event
from projects.services import spool
from projects.services.run_output import payload
from projects.states import Stream

SHOWN_BYTES = 64 * 1024
DOWNLOADS = (("stdout", "stdout"), ("stderr", "stderr"), ("all", "both as they came"))
STREAMS = {"stdout": Stream.STDOUT, "stderr": Stream.STDERR, "all": None}


@admin.register(CommandRun)
class CommandRunAdmin(ReadOnlyAdmin):
    list_display = ("started_at", "project_link", "short_command", "state_shown", "exit_code", "duration", "actor_name")
    list_filter = ("state", "purpose")
    list_select_related = ("project",)
    search_fields = ("command", "project__slug", "actor_name")
    date_hierarchy = "started_at"
    fieldsets = (
        (None, {"fields": ("project_link", "container_link", "command_shown", "workdir", "timeout_seconds", "purpose", "actor_name")}),
        ("How it ended", {"fields": ("state_shown", "exit_code", "message", "started_at", "finished_at", "duration", "kill_requested_by")}),
        ("Output", {"fields": ("stdout", "stderr", "download", "output_bytes", "output_removed_at", "events")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).filter(project__in=visible_projects(request.user))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [name for _, options in self.fieldsets for name in options["fields"]]

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        run: Any = super().get_object(request, object_id, from_field)
        if run is not None:
            run.tail = spool.tail(run, SHOWN_BYTES)
        return run

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(require_safe(self.output_view))
        return [path("<uuid:pk>/output/<slug:name>/", view, name="projects_commandrun_output"), *super().get_urls()]

    def output_view(self, request: HttpRequest, pk: Any, name: str) -> StreamingHttpResponse:
        """The whole output as it was printed, never shown by the browser itself. 404 for who may not see the project."""
        run = self.get_queryset(request).filter(pk=pk).first()
        if run is None or name not in STREAMS:
            raise Http404
        response = StreamingHttpResponse(payload(run, STREAMS[name]), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{run.id}-{name}.log"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Cache-Control"] = "no-store"
        return response

    @admin.display(description="project", ordering="project__slug")
    def project_link(self, run: CommandRun) -> str:
        return link_to(run.project)

    @admin.display(description="container")
    def container_link(self, run: CommandRun) -> str:
        return link_to(run.container)

    @admin.display(description="command", ordering="command")
    def short_command(self, run: CommandRun) -> str:
        return format_html("<code>{}</code>", run.command if len(run.command) <= 100 else f"{run.command[:100]}…")

    @admin.display(description="command")
    def command_shown(self, run: CommandRun) -> str:
        return shown(run.command.encode(errors="replace"), "Command")

    @admin.display(description="state", ordering="state")
    def state_shown(self, run: CommandRun) -> str:
        return badge(run.state)

    @admin.display(description="duration")
    def duration(self, run: CommandRun) -> str:
        return f"{run.duration_seconds:.1f} s" if run.duration_seconds is not None else NOTHING

    @admin.display(description="stdout")
    def stdout(self, run: Any) -> str:
        return shown(run.tail.stdout, "End of stdout")

    @admin.display(description="stderr")
    def stderr(self, run: Any) -> str:
        return shown(run.tail.stderr, "End of stderr")

    @admin.display(description="whole output")
    def download(self, run: CommandRun) -> str:
        places = ((reverse("admin:projects_commandrun_output", args=[run.pk, name]), words) for name, words in DOWNLOADS)
        return format_html_join(", ", '<a href="{}" download>{}</a>', places)

    @admin.display(description="events")
    def events(self, run: CommandRun) -> str:
        return link_to_list(Event, "Of the project", project_slug__exact=run.project.slug)
