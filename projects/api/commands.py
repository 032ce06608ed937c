"""Commands in a container: run, looked at, their output, killed."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status

from projects.access import Permission, demand, project_for
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_newest
from projects.api.responses import ENGINE, answers, raw
from projects.api.schemas import CommandIn, CommandList, CommandOut, CommandResult, CommandStarted, Problem
from projects.models import CommandRun
from projects.services import commands, runs, spool
from projects.services.errors import NotFound
from projects.states import RunState

router = Router(tags=["commands"])
NEXT_OFFSET, STATE = "X-ContainerHub-Next-Offset", "X-ContainerHub-State"
LARGEST_OFFSET = 2**53

RunId = Annotated[UUID, Path(description="The command's id.")]


@router.post(
    "/projects/{slug}/commands",
    response={200: CommandResult, 202: CommandStarted, **answers(Problem, 400, *ENGINE, status=400)},
    summary="Run a command in the container",
)
def run_command(request: HttpRequest, slug: str, payload: CommandIn) -> Status[Any]:
    """Operators. With `wait` it answers when the command has ended, with the end of its output; without, 202 and the id at once.
    At the timeout the command's whole process tree is ended."""
    project = project_for(caller(request), slug, Permission.OPERATE)
    asked: dict[str, Any] = {"command": payload.command, "workdir": payload.workdir, "timeout_seconds": payload.timeout}
    if not payload.wait:
        return Status(202, {"id": commands.start_command(project=project, actor=actor(request), **asked).id})
    result = commands.run_command(project=project, actor=actor(request), **asked)
    return Status(
        200,
        {
            "id": result.id,
            "exit_code": result.exit_code,
            "stdout": result.stdout.decode(errors="replace"),
            "stderr": result.stderr.decode(errors="replace"),
            "timed_out": result.timed_out,
            "truncated": result.truncated,
            "duration_seconds": result.duration_seconds,
            "state": result.state,
            "message": result.message,
        },
    )


@router.get("/projects/{slug}/commands", response=answers(CommandList), summary="The commands of a project, newest first")
def list_commands(
    request: HttpRequest,
    slug: str,
    q: Annotated[str, Query(max_length=1000, description="Only those whose command holds this.")] = "",
    limit: Limit = 50,
    cursor: Cursor = None,
) -> dict[str, Any]:
    rows = runs.found(project_for(caller(request), slug), q).select_related("project")
    items, following = page_of_newest(rows, at="started_at", limit=limit, cursor=cursor)
    return {"items": [_shown(run) for run in items], "next": following}


@router.get("/commands/{run_id}", response=answers(CommandOut), summary="How a command stands")
def get_command(request: HttpRequest, run_id: RunId) -> dict[str, Any]:
    return _shown(_run(request, run_id, Permission.VIEW))


@router.get(
    "/commands/{run_id}/output",
    response=answers(None),
    summary="A command's output, as it was spooled",
    openapi_extra=raw(
        "application/octet-stream",
        "At most 1 MiB in Docker's frame format: a header of 8 bytes {stream, 0, 0, 0, size big-endian}, then the payload.",
        **{NEXT_OFFSET: "Send it as `offset` for what comes after.", STATE: "The command's state before this was read."},
    ),
)
def get_command_output(
    request: HttpRequest, run_id: RunId, offset: Annotated[int, Query(ge=0, le=LARGEST_OFFSET, description="Spool bytes to pass over.")] = 0
) -> HttpResponse:
    """Empty at the present end. The whole output has been read when the answer is empty and the state is not `running`."""
    run = _run(request, run_id, Permission.VIEW)
    if run.output_removed_at is not None:
        raise NotFound("The output of this command was removed when it grew old; run the command again.")
    data = spool.read_from(run, offset)
    response = HttpResponse(data, content_type="application/octet-stream")
    response[NEXT_OFFSET], response[STATE] = str(offset + len(data)), run.state
    return response


@router.delete("/commands/{run_id}", response=answers(CommandOut, *ENGINE), summary="Kill a command")
def kill_command(request: HttpRequest, run_id: RunId) -> dict[str, Any]:
    """Operators. Its whole process tree is ended; quiet when it has ended already. The state tells how it went."""
    run = _run(request, run_id, Permission.OPERATE)
    if run.state == RunState.RUNNING:
        commands.kill_command(run=run, actor=actor(request))
        run.refresh_from_db()
    return _shown(run)


def _run(request: HttpRequest, run_id: UUID, permission: Permission) -> CommandRun:
    """The run, if the caller may do that in its project. Raises NotFound, AccessDenied."""
    run = CommandRun.objects.select_related("project").filter(pk=run_id).first()
    if run is None:
        raise NotFound("There is no such command, or you are not a member of its project.")
    demand(caller(request), permission, run.project)
    return run


def _shown(run: CommandRun) -> dict[str, Any]:
    return {
        "id": run.id,
        "project": run.project.slug,
        "command": run.command,
        "workdir": run.workdir,
        "purpose": run.purpose,
        "timeout_seconds": run.timeout_seconds,
        "state": run.state,
        "exit_code": run.exit_code,
        "timed_out": run.state == RunState.TIMED_OUT,
        "killed": run.state == RunState.KILLED,
        "message": run.message,
        "output_bytes": run.output_bytes,
        "actor": run.actor_name,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "duration_seconds": run.duration_seconds,
    }
