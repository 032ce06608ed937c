"""What each call declares in the OpenAPI document besides its own answer."""

from typing import Any

from projects.api.schemas import Problem

ALWAYS = (400, 401, 403, 404, 422)
ENGINE = (409, 503)


def answers(schema: Any, *more: int, status: int = 200) -> dict[int, Any]:
    """The call's own answer, the refusals that any call can give, and `more` of them."""
    return {status: schema, **dict.fromkeys(sorted({*ALWAYS, *more}), Problem)}


def raw(media_type: str, description: str, **headers: str) -> dict[str, Any]:
    """`openapi_extra` of a call that answers no JSON; declare it with `answers(None)`."""
    shown = {name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()}
    schema = {"type": "string"} if media_type.startswith("text/") else {"type": "string", "format": "binary"}
    return {"responses": {200: {"description": description, "content": {media_type: {"schema": schema}}, "headers": shown}}}
