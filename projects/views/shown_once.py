"""A secret that was made a moment ago, for the next page of whoever made it and no other; encrypted even there."""

from dataclasses import dataclass

from django.http import HttpRequest

from projects.models.fields import cipher


@dataclass(frozen=True)
class Made:
    """The secret, and the key of the row that it belongs to."""

    pk: int
    secret: str


def keep(request: HttpRequest, name: str, *, pk: int, secret: str) -> None:
    request.session[name] = {"pk": pk, "secret": cipher().encrypt(secret.encode()).decode()}


def taken(request: HttpRequest, name: str) -> Made | None:
    """What was kept under that name; gone from the session afterwards."""
    found = request.session.pop(name, None)
    return Made(found["pk"], cipher().decrypt(found["secret"].encode()).decode()) if found else None
