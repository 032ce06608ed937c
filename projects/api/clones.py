"""Projects from the address of a git repository: cloned by the worker, in a throw-away container."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router, Status

from projects.access import demand_project_creator, visible_clones
from projects.api.auth import actor, caller
from projects.api.pagination import LARGEST_ID
from projects.api.responses import ENGINE, answers
from projects.api.schemas import CloneIn, CloneOut
from projects.models import Clone
from projects.services.clones import cancel_clone, start_clone
from projects.services.errors import NotFound

router = Router(tags=["projects"])
CloneId = Annotated[int, Path(ge=1, le=LARGEST_ID)]


@router.post("/clones", response=answers(CloneOut, *ENGINE, status=202), summary="Clone a repository and make a project of it")
def clone_repository(request: HttpRequest, payload: CloneIn) -> Status[dict[str, Any]]:
    """Those who may make projects. It goes on after the answer: ask for the clone by its id. 409 while four are under way."""
    demand_project_creator(caller(request))
    return Status(202, _shown(start_clone(actor=actor(request), **payload.given())))


@router.get("/clones/{clone_id}", response=answers(CloneOut), summary="How a clone stands, and what git says")
def get_clone(request: HttpRequest, clone_id: CloneId) -> dict[str, Any]:
    """Whoever asked for it, and administrators."""
    return _shown(_clone_for(request, clone_id))


@router.post("/clones/{clone_id}/cancel", response=answers(CloneOut, status=202), summary="Give a clone up")
def give_clone_up(request: HttpRequest, clone_id: CloneId) -> Status[dict[str, Any]]:
    """It ends within seconds, and nothing of it is left. 404 when it is over."""
    clone = _clone_for(request, clone_id)
    cancel_clone(clone=clone, actor=actor(request))
    return Status(202, _shown(_clone_for(request, clone_id)))


def _clone_for(request: HttpRequest, pk: int) -> Clone:
    clone = visible_clones(caller(request)).select_related("project").filter(pk=pk).first()
    if clone is None:
        raise NotFound("There is no such clone, or it is not yours; look at the projects, it may be one by now.")
    return clone


def _shown(clone: Clone) -> dict[str, Any]:
    return {
        "id": clone.pk,
        "url": clone.url,
        "name": clone.name,
        "path": clone.path,
        "state": clone.state,
        "message": clone.message,
        "output": clone.output,
        "project": clone.project.slug if clone.project else None,
        "actor": clone.actor_name,
        "created_at": clone.created_at,
        "finished_at": clone.finished_at,
    }
