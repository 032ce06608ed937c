"""Tokens for git servers, lent to one project each. Nobody reads them back."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from projects.access import Permission, project_for
from projects.api.auth import actor, caller
from projects.api.pagination import Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import GitCredentialIn, GitCredentialList, GitCredentialOut
from projects.models import GitCredential
from projects.services.git_credentials import remove_git_credential, set_git_credential

router = Router(tags=["git credentials"])


@router.get(
    "/projects/{slug}/git-credentials", response=answers(GitCredentialList), summary="The git servers that the project has a token for"
)
def list_git_credentials(request: HttpRequest, slug: str, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    rows = GitCredential.objects.filter(project=project_for(caller(request), slug)).defer("token")
    items, following = page_of_rows(rows, key="host", limit=limit, cursor=cursor)
    return {"items": items, "next": following}


@router.post(
    "/projects/{slug}/git-credentials", response=answers(GitCredentialOut, 409, status=201), summary="Set the token for a git server"
)
def put_git_credential(request: HttpRequest, slug: str, payload: GitCredentialIn) -> Status[GitCredential]:
    """Owners. It answers for this host only, in this project only; everyone with a terminal there can read it."""
    project = project_for(caller(request), slug, Permission.CONFIGURE)
    return Status(201, set_git_credential(project=project, actor=actor(request), **payload.dict()))


@router.delete(
    "/projects/{slug}/git-credentials/{host}", response=answers(None, 409, status=204), summary="Take the token of a git server away"
)
def delete_git_credential(request: HttpRequest, slug: str, host: Annotated[str, Path(max_length=260)]) -> Status[None]:
    """Owners."""
    remove_git_credential(project=project_for(caller(request), slug, Permission.CONFIGURE), host=host, actor=actor(request))
    return Status(204, None)


@router.delete(
    "/projects/{slug}/git-credentials", response=answers(None, 409, status=204), summary="Take a token away, its host named in the query"
)
def delete_git_credential_by_query(request: HttpRequest, slug: str, host: Annotated[str, Query(max_length=260)]) -> Status[None]:
    """The same as with the host in the path."""
    return delete_git_credential(request, slug, host)
