"""Lists as `{"items": [...], "next": cursor or null}`. A cursor says after which item the next page begins."""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet
from ninja import Query

from projects.services.errors import BadInput

LIMIT = 200
LARGEST_ID = 2**63 - 1
_BAD_CURSOR = "The cursor is none that this list gave; begin again without one."

Limit = Annotated[int, Query(ge=1, le=LIMIT, description="How many items a page has at most.")]
Cursor = Annotated[str | None, Query(max_length=2000, description="The `next` of the page before.")]
M = TypeVar("M", bound=Model)
T = TypeVar("T")


def page_of_rows(rows: QuerySet[M], *, key: str, limit: int, cursor: str | None, descending: bool = False) -> tuple[list[M], str | None]:
    """A page of `rows`, ordered by the unique column `key`, and the cursor of the next one. Raises BadInput."""
    field = rows.model._meta.get_field(key)
    kind = str if field.get_internal_type() == "CharField" else int
    if cursor is not None:
        rows = rows.filter(**{f"{key}__{'lt' if descending else 'gt'}": _read(cursor, kind)})
    found = list(rows.order_by(f"-{key}" if descending else key)[: limit + 1])
    following = _write(getattr(found[limit - 1], key)) if len(found) > limit else None
    return found[:limit], following


def page_of_newest(rows: QuerySet[M], *, at: str, limit: int, cursor: str | None) -> tuple[list[M], str | None]:
    """The same of rows whose key has no order: newest first by the time `at`, then by the key. Raises BadInput."""
    if cursor is not None:
        rows = _older(rows, at, _read(cursor, str))
    found = list(rows.order_by(f"-{at}", "-pk")[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return found[:limit], _write(f"{getattr(last, at).isoformat()} {last.pk}") if last else None


def _older(rows: QuerySet[M], at: str, place: str) -> QuerySet[M]:
    when, _, key = place.partition(" ")
    try:
        moment, pk = datetime.fromisoformat(when), UUID(key)
    except ValueError as error:
        raise BadInput(_BAD_CURSOR) from error
    if moment.tzinfo is None:
        raise BadInput(_BAD_CURSOR)
    return rows.filter(Q(**{f"{at}__lt": moment}) | Q(**{at: moment, "pk__lt": pk}))


def page_of_list(items: Sequence[T], *, key: Callable[[T], str], limit: int, cursor: str | None) -> tuple[list[T], str | None]:
    """The same of things that stand in no table, ordered by `key`. Raises BadInput."""
    after = _read(cursor, str) if cursor is not None else None
    found = sorted((item for item in items if after is None or key(item) > after), key=key)
    following = _write(key(found[limit - 1])) if len(found) > limit else None
    return found[:limit], following


def _write(value: str | int) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def _read(cursor: str, kind: type) -> Any:
    try:
        value = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError) as error:
        raise BadInput(_BAD_CURSOR) from error
    if type(value) is not kind or (isinstance(value, int) and not 0 <= value <= LARGEST_ID):
        raise BadInput(_BAD_CURSOR)
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= character <= "\udfff" for character in value)):
        raise BadInput(_BAD_CURSOR)
    return value
