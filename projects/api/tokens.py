"""The caller's own API tokens."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Status

from projects.api.auth import actor, caller
from projects.api.pagination import LARGEST_ID, Cursor, Limit, page_of_rows
from projects.api.responses import answers
from projects.api.schemas import TokenIn, TokenList, TokenMade, TokenOut
from projects.models import ApiToken
from projects.services.errors import NotFound
from projects.services.tokens import make_token as make
from projects.services.tokens import revoke_token as revoke

router = Router(tags=["tokens"])


@router.get("/tokens", response=answers(TokenList), summary="Your API tokens, newest first")
def list_tokens(request: HttpRequest, limit: Limit = 50, cursor: Cursor = None) -> dict[str, Any]:
    """Revoked ones too. Their keys are shown nowhere."""
    rows = ApiToken.objects.filter(user=caller(request))
    items, following = page_of_rows(rows, key="id", limit=limit, cursor=cursor, descending=True)
    return {"items": items, "next": following}


@router.post("/tokens", response=answers(TokenMade, status=201), summary="Make an API token for yourself")
def make_token(request: HttpRequest, payload: TokenIn) -> Status[dict[str, Any]]:
    """The key is shown in this answer only. Whoever has it may do what you may."""
    token, key = make(user=caller(request), name=payload.name, expires_at=payload.expires_at, actor=actor(request))
    return Status(201, {**TokenOut.from_orm(token).dict(), "key": key})


@router.delete("/tokens/{token_id}", response=answers(None, status=204), summary="Revoke an API token of yours")
def revoke_token(request: HttpRequest, token_id: Annotated[int, Path(ge=1, le=LARGEST_ID)]) -> Status[None]:
    """Quiet when it is revoked already."""
    token = ApiToken.objects.select_related("user").filter(pk=token_id, user=caller(request)).first()
    if token is None:
        raise NotFound("You have no such token; look at GET /api/tokens.")
    revoke(token=token, actor=actor(request))
    return Status(204, None)


@router.delete("/tokens", response=answers(None, status=204), summary="Revoke an API token of yours, named in the query")
def revoke_token_by_query(request: HttpRequest, id: Annotated[int, Query(ge=1, le=LARGEST_ID)]) -> Status[None]:  # noqa: A002
    """The same as with the id in the path."""
    return revoke_token(request, id)
