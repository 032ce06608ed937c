"""A project's container: ensured, looked at, started, stopped, refreshed, removed; and all of them together."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Body, Query, Router
from ninja.errors import HttpError
from pydantic import AwareDatetime

from projects.access import Permission, demand_administrator, project_for
from projects.api.auth import actor, caller
from projects.api.errors import NOT_RUNNING
from projects.api.responses import ENGINE, answers, raw
from projects.api.schemas import CleanupIn, CleanupOut, ContainerAnswer, ContainerOut, CountOut, Gone, HealthOut, ProcessList, StatsOut
from projects.services import lifecycle
from projects.services.cleanup import CleanupReport, cleanup_all
from projects.services.container_logs import container_logs
from projects.services.container_processes import container_processes
from projects.services.errors import ContainerNotRunning
from projects.services.health import HealthAnswer, check_health
from projects.services.overview import ContainerView, view_container
from projects.services.reconcile import count_active
from projects.services.usage import Stats, get_stats

router = Router(tags=["containers"])
LOG_LINES = 10_000


@router.post(
    "/projects/{slug}/ensure-container", response=answers(ContainerAnswer, *ENGINE), summary="Have the container running, made if need be"
)
def ensure_container(request: HttpRequest, slug: str) -> lifecycle.ContainerAnswer:
    """Operators. Repeatable: calls at the same time make one container and answer alike."""
    return lifecycle.ensure_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))


@router.get("/projects/{slug}/container", response=answers(ContainerOut), summary="The container, or that there is none")
def get_container(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Answers for every project that you may see, also where there is no container or the Engine is away (`unknown`)."""
    return _shown(view_container(project=project_for(caller(request), slug)))


@router.delete("/projects/{slug}/container", response=answers(Gone, *ENGINE), summary="Stop and remove the container")
def remove_container(request: HttpRequest, slug: str) -> dict[str, str]:
    """Operators. The workspace is kept; the same answer when the container is already gone."""
    lifecycle.remove_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))
    return {"status": "stopped"}


@router.post("/projects/{slug}/container/refresh", response=answers(ContainerAnswer, *ENGINE), summary="Make the container anew")
def refresh_container(request: HttpRequest, slug: str) -> lifecycle.ContainerAnswer:
    """Operators. The workspace is kept. The old container comes back when the new one does not prove healthy."""
    return lifecycle.refresh_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))


@router.post("/projects/{slug}/container/start", response=answers(ContainerAnswer, *ENGINE), summary="Docker's start")
def start_container(request: HttpRequest, slug: str) -> lifecycle.ContainerAnswer:
    """Operators. 404 where there is no container: ensure makes one."""
    return lifecycle.start_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))


@router.post("/projects/{slug}/container/stop", response=answers(ContainerAnswer, *ENGINE), summary="Docker's stop: the container is kept")
def stop_container(request: HttpRequest, slug: str) -> lifecycle.ContainerAnswer:
    """Operators. Quiet when it is stopped already."""
    return lifecycle.stop_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))


@router.post("/projects/{slug}/container/restart", response=answers(ContainerAnswer, *ENGINE), summary="Docker's restart")
def restart_container(request: HttpRequest, slug: str) -> lifecycle.ContainerAnswer:
    """Operators. 404 where there is no container: ensure makes one."""
    return lifecycle.restart_container(project=project_for(caller(request), slug, Permission.OPERATE), actor=actor(request))


@router.get("/projects/{slug}/container/stats", response=answers(StatsOut, *ENGINE), summary="What the container uses now")
def get_container_stats(request: HttpRequest, slug: str) -> Stats:
    """404 `Container not running` when it does not run. A value that cannot be known is null."""
    try:
        return get_stats(project=project_for(caller(request), slug))
    except ContainerNotRunning as error:
        raise HttpError(404, NOT_RUNNING) from error


@router.get("/projects/{slug}/container/health", response=answers(HealthOut, *ENGINE), summary="Whether the container is well, and why not")
def get_container_health(request: HttpRequest, slug: str) -> HealthAnswer:
    return check_health(project=project_for(caller(request), slug))


@router.get(
    "/projects/{slug}/container/logs",
    response=answers(None, *ENGINE),
    summary="What the container printed",
    openapi_extra=raw("text/plain", "Its last lines, stdout and stderr in order."),
)
def get_container_logs(
    request: HttpRequest,
    slug: str,
    tail: Annotated[int, Query(ge=1, le=LOG_LINES, description="How many lines.")] = 200,
    since: Annotated[AwareDatetime | None, Query(description="Only what was printed then or later.")] = None,
    timestamps: Annotated[bool, Query(description="Begin each line with the Engine's time of it.")] = False,
) -> HttpResponse:
    project = project_for(caller(request), slug)
    text = container_logs(project=project, tail=tail, since=since, timestamps=timestamps).decode(errors="replace")
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@router.get(
    "/projects/{slug}/container/processes", response=answers(ProcessList, *ENGINE), summary="The processes in the container, as docker top"
)
def list_processes(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Most CPU first. 404 `Container not running` when it does not run."""
    try:
        return {"items": container_processes(project=project_for(caller(request), slug)), "next": None}
    except ContainerNotRunning as error:
        raise HttpError(404, NOT_RUNNING) from error


@router.get("/containers/count", response=answers(CountOut, *ENGINE), summary="How many containers of this hub run")
def count_containers(request: HttpRequest) -> dict[str, int]:
    return {"active": count_active()}


@router.post("/containers/cleanup", response=answers(CleanupOut, *ENGINE), summary="Stop and remove every container of this hub")
def cleanup_containers(request: HttpRequest, payload: Annotated[CleanupIn, Body()] = CleanupIn()) -> CleanupReport:  # noqa: B008
    """Administrators. A dry run unless `dry_run` is false. Workspaces are kept; one that fails stops no other."""
    demand_administrator(caller(request))
    return cleanup_all(actor=actor(request), dry_run=payload.dry_run)


def _shown(view: ContainerView) -> dict[str, Any]:
    project, row = view.project, view.container
    return {
        "container_id": row.short_id if row else None,
        "status": project.status,
        "status_at": project.status_at,
        "health": project.health,
        "health_at": project.health_at,
        "image": row.image if row else None,
        "created_at": row.created_at if row else None,
        "started_at": row.started_at if row else None,
        "limits": {"cpu": row.cpu_limit, "memory_mb": row.memory_limit_mb, "pids": row.pids_limit} if row else None,
        "mounts": row.mounts if row else [],
        "notes": row.notes if row else [],
        "wanted": project.wanted,
        "pending_action": project.pending_action,
        "busy": view.busy,
        "busy_reason": view.busy_reason,
        "next_refresh_at": view.next_refresh_at,
        "next_refresh_reason": view.next_refresh_reason,
        "last_error": project.last_error,
    }
