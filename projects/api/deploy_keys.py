"""A project's deploy key: its public half to give to a git server, made, rotated and removed. The private half is never sent."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Body, Router, Status

from projects.access import Permission, project_for
from projects.api.auth import actor, caller
from projects.api.responses import answers
from projects.api.schemas import DeployKeyIn, DeployKeyOut
from projects.models import DeployKey
from projects.services.deploy_keys import get_deploy_key, make_deploy_key, remove_deploy_key, rotate_deploy_key

router = Router(tags=["deploy key"])


@router.get("/projects/{slug}/deploy-key", response=answers(DeployKeyOut), summary="The public half of the project's deploy key")
def show_deploy_key(request: HttpRequest, slug: str) -> DeployKey:
    """404 where there is none."""
    return get_deploy_key(project=project_for(caller(request), slug))


@router.post("/projects/{slug}/deploy-key", response=answers(DeployKeyOut, 409, status=201), summary="Make the deploy key, or rotate it")
def put_deploy_key(request: HttpRequest, slug: str, payload: Annotated[DeployKeyIn, Body()] = DeployKeyIn()) -> Status[DeployKey]:  # noqa: B008
    """Owners. 409 where there is one already, unless `rotate`: the old key is forgotten at once, so give the new public half to
    the git server. The container's ssh has it without a refresh."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    use_case = rotate_deploy_key if payload.rotate else make_deploy_key
    return Status(201, use_case(project=project, actor=actor(request)))


@router.delete("/projects/{slug}/deploy-key", response=answers(None, 409, status=204), summary="Remove the deploy key")
def delete_deploy_key(request: HttpRequest, slug: str) -> Status[None]:
    """Owners. It is gone from a running container at once; take its public half off the git server too."""
    remove_deploy_key(project=project_for(caller(request), slug, Permission.CONFIGURE), actor=actor(request))
    return Status(204, None)
