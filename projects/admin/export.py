"""The chosen projects as CSV, streamed."""

from collections.abc import Iterable

from django.http import StreamingHttpResponse
from django.utils import timezone

from projects.models import Project
from projects.services.exit_codes import exit_words
from projects.services.spreadsheet import csv_lines

COLUMNS = (
    "slug",
    "name",
    "status",
    "exit",
    "health",
    "wanted",
    "container_created_at",
    "memory_limit_mb",
    "cpu_limit",
    "pids_limit",
    "running_commands",
    "last_activity_at",
    "owners",
    "pinned",
    "uses_host_credentials",
    "path",
    "image",
    "created_at",
)


def csv_of(projects: Iterable[Project]) -> StreamingHttpResponse:
    """The rows come from `services.project_list.with_surroundings`."""
    rows = ([_cell(project, column) for column in COLUMNS] for project in projects)
    response = StreamingHttpResponse(csv_lines(COLUMNS, rows), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="projects-{timezone.localtime():%Y-%m-%d}.csv"'
    return response


def _cell(project: Project, column: str) -> object:
    if column == "owners":
        return " ".join(membership.user.get_username() for membership in project.owner_memberships)  # type: ignore[attr-defined]
    if column == "exit":
        code = project.container_exit_code  # type: ignore[attr-defined]
        return "" if code is None else exit_words(code, oom_killed=bool(project.container_oom_killed))  # type: ignore[attr-defined]
    value = getattr(project, column)
    return value.isoformat(timespec="seconds") if hasattr(value, "isoformat") else value
