"""The audit trail: call `record` in the transaction of the change that it tells of."""

from dataclasses import dataclass
from typing import Any, Self

from django.contrib.auth.models import AbstractBaseUser
from django.db import connection

from projects.models import Event, Project

_EVENT_LOCK = 0x45564E54  # "EVNT": one advisory lock, so that ids rise in the order of commits


@dataclass(frozen=True)
class Actor:
    """Who did it: a user, or a part of the hub by name (`user` None)."""

    name: str
    user: Any = None

    @classmethod
    def of(cls, user: AbstractBaseUser) -> Self:
        return cls(name=user.get_username(), user=user)


HUB = Actor(name="hub")
WATCHER = Actor(name="watcher")
OUTSIDE = Actor(name="outside")


def record(kind: str, *, actor: Actor, message: str, project: Project | None = None, slug: str = "", **details: Any) -> Event:
    """Append one event. `kind` is noun.verb ("container.started"); details are plain JSON values, never a secret."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_EVENT_LOCK])
    return Event.objects.create(
        kind=kind,
        project_slug=project.slug if project else slug,
        actor_name=actor.name,
        message=message,
        details=details,
    )
