"""A project's terminals: listed, made, renamed, closed. Their bytes go over the websocket."""

from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status

from projects.access import Permission, project_for
from projects.api.auth import actor, caller
from projects.api.responses import ENGINE, answers, raw
from projects.api.schemas import TerminalIn, TerminalList, TerminalOut
from projects.models import TerminalSession
from projects.services import terminals

router = Router(tags=["terminals"])

Name = Annotated[str, Path(max_length=100)]


@router.get("/projects/{slug}/terminals", response=answers(TerminalList, *ENGINE), summary="The project's open terminals")
def list_terminals(request: HttpRequest, slug: str) -> dict[str, Any]:
    return {"items": terminals.list_sessions(project=project_for(caller(request), slug)), "next": None}


@router.post("/projects/{slug}/terminals", response=answers(TerminalOut, *ENGINE, status=201), summary="Open a terminal")
def make_terminal(request: HttpRequest, slug: str, payload: TerminalIn) -> Status[TerminalSession]:
    """Operators. A shell in the workspace that stays until it is closed or ends."""
    project = project_for(caller(request), slug, Permission.OPERATE)
    return Status(201, terminals.make_session(project=project, name=payload.name, actor=actor(request)))


@router.patch("/projects/{slug}/terminals/{name}", response=answers(TerminalOut, *ENGINE), summary="Rename a terminal")
def rename_terminal(request: HttpRequest, slug: str, name: Name, payload: TerminalIn) -> TerminalSession:
    """Operators. Whoever looks at it goes on looking."""
    project = project_for(caller(request), slug, Permission.OPERATE)
    return terminals.rename_session(project=project, name=name, new_name=payload.name, actor=actor(request))


@router.get(
    "/projects/{slug}/terminals/{name}/history",
    response=answers(None, *ENGINE),
    summary="All that a terminal has shown",
    openapi_extra=raw("text/plain", "What scrolled off its screen, oldest first, and the screen; long lines whole, without colours."),
)
def get_terminal_history(request: HttpRequest, slug: str, name: Name) -> HttpResponse:
    """The last 10,000 lines at least of what a shell printed; a full-screen program keeps its screen only."""
    text = terminals.session_history(project=project_for(caller(request), slug), name=name)
    return HttpResponse(text, content_type="text/plain; charset=utf-8")


@router.delete("/projects/{slug}/terminals/{name}", response=answers(None, *ENGINE, status=204), summary="Close a terminal")
def close_terminal(request: HttpRequest, slug: str, name: Name) -> Status[None]:
    """Operators. Its shell and what runs in it end."""
    terminals.close_session(project=project_for(caller(request), slug, Permission.OPERATE), name=name, actor=actor(request))
    return Status(204, None)


@router.delete("/projects/{slug}/terminals", response=answers(None, *ENGINE, status=204), summary="Close a terminal, named in the query")
def close_terminal_by_query(request: HttpRequest, slug: str, name: Annotated[str, Query(max_length=100)]) -> Status[None]:
    """The same as with the name in the path."""
    return close_terminal(request, slug, name)
