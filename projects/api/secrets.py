"""A project's secrets: set and removed, listed by name. No value is ever sent."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from projects.access import Permission, project_for
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import SecretIn, SecretList, SecretOut
from projects.models import ProjectSecret
from projects.services.project_secrets import remove_secret, set_secret

router = Router(tags=["secrets"])


@router.get("/projects/{slug}/secrets", response=answers(SecretList), summary="The names of the project's secrets")
def list_secrets(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    rows = ProjectSecret.objects.filter(project=project_for(caller(request), slug)).defer("value")
    items, following = page_of_rows(rows, key="name", limit=limit, cursor=cursor)
    return {"items": items, "next": following}


@router.post("/projects/{slug}/secrets", response=answers(SecretOut, 409, status=201), summary="Set a secret")
def put_secret(request: HttpRequest, slug: str, payload: SecretIn) -> Status[ProjectSecret]:
    """Owners. Every command of the project gets it in its environment; everyone with a terminal there can read it."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    return Status(201, set_secret(project=project, name=payload.name, value=payload.value, actor=actor(request)))


@router.delete("/projects/{slug}/secrets/{name}", response=answers(None, 409, status=204), summary="Remove a secret")
def delete_secret(request: HttpRequest, slug: str, name: Annotated[str, Path(max_length=100)]) -> Status[None]:
    """Owners. The next command has it no more."""
    remove_secret(project=project_for(caller(request), slug, Permission.CONFIGURE), name=name, actor=actor(request))
    return Status(204, None)


@router.delete("/projects/{slug}/secrets", response=answers(None, 409, status=204), summary="Remove a secret, named in the query")
def delete_secret_by_query(request: HttpRequest, slug: str, name: Annotated[str, Query(max_length=100)]) -> Status[None]:
    """The same as with the name in the path."""
    return delete_secret(request, slug, name)
