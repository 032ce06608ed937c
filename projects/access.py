"""Who may do what: the one module that every door asks.

A stranger gets NotFound, a member without the right Forbidden.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from projects.models import Batch, Channel, Clone, Event, Membership, Project
from projects.models.project import SLUG_PATTERN
from projects.states import Role

_SLUG = re.compile(SLUG_PATTERN)


class Permission(StrEnum):
    VIEW = "view"  # look at everything of the project
    OPERATE = "operate"  # ensure, start, stop, restart, refresh, remove the container, run commands, terminals
    CONFIGURE = "configure"  # settings, members, git credentials, remove the project
    ADMINISTER = "administer"  # lend the host's credentials, change a workspace's owner


NEEDED_ROLE = {Permission.VIEW: Role.VIEWER, Permission.OPERATE: Role.OPERATOR, Permission.CONFIGURE: Role.OWNER}


class AccessDenied(Exception):
    """`str()` is a sentence for the caller."""


class Stranger(AccessDenied):
    """The caller may not even know that it exists: answer 404."""


def is_administrator(user: Any) -> bool:
    return bool(user.is_authenticated and user.is_active and user.is_superuser)


def may_create_projects(user: Any) -> bool:
    """Administrators, and people they grant `projects.add_project`."""
    return bool(user.is_authenticated and user.is_active and user.has_perm("projects.add_project"))


def visible_projects(user: Any) -> QuerySet[Project]:
    """The projects that the user may look at."""
    if not (user.is_authenticated and user.is_active):
        return Project.objects.none()
    if user.is_superuser:
        return Project.objects.all()
    return Project.objects.filter(memberships__user=user)


def configurable_projects(user: Any) -> QuerySet[Project]:
    """The projects whose settings the user may change."""
    found = visible_projects(user)
    if is_administrator(user):
        return found
    return found.filter(pk__in=Membership.objects.filter(user_id=user.pk, role=Role.OWNER).values("project"))


def configurable_channels(user: Any) -> QuerySet[Channel]:
    """Administrators change every channel, owners those of their projects; nobody else sees one."""
    rows = Channel.objects.select_related("project")
    return rows if is_administrator(user) else rows.filter(project__in=configurable_projects(user))


def channel_for(user: Any, pk: int) -> Channel:
    """That channel, if the user may change it. Raises Stranger, also for the hub's own, or AccessDenied."""
    channel = Channel.objects.select_related("project").filter(pk=pk).first()
    if channel is None or not (is_administrator(user) or (channel.project and may(user, Permission.VIEW, channel.project))):
        raise Stranger("There is no such channel, or it is not yours; look at the list of channels.")
    if channel.project is not None:
        demand(user, Permission.CONFIGURE, channel.project)
    return channel


def operable_projects(user: Any, projects: Iterable[Project]) -> set[int]:
    """The keys of those among these projects that the user may operate; one query for all of them."""
    keys = {project.pk for project in projects}
    if not (user.is_authenticated and user.is_active):
        return set()
    if user.is_superuser:
        return keys
    roles = [role for role in Role if role.rank >= NEEDED_ROLE[Permission.OPERATE].rank]
    return set(Membership.objects.filter(user_id=user.pk, role__in=roles, project__in=keys).values_list("project", flat=True))


def visible_events(user: Any) -> QuerySet[Event]:
    """Administrators see every event, others those of the projects that they may see.

    A removed project's events are not its successor's of the same slug: only those since the project was made.
    """
    if is_administrator(user):
        return Event.objects.all()
    return Event.objects.filter(Exists(visible_projects(user).filter(slug=OuterRef("project_slug"), created_at__lte=OuterRef("at"))))


def visible_batches(user: Any) -> QuerySet[Batch]:
    """Administrators see every batch, others those that they asked for."""
    if not (user.is_authenticated and user.is_active):
        return Batch.objects.none()
    return Batch.objects.all() if user.is_superuser else Batch.objects.filter(actor_id=user.pk)


def visible_clones(user: Any) -> QuerySet[Clone]:
    """Administrators see every clone, others those that they asked for; never its token."""
    if not (user.is_authenticated and user.is_active):
        return Clone.objects.none()
    rows = Clone.objects.defer("token")
    return rows if user.is_superuser else rows.filter(actor_id=user.pk)


def role_of(user: Any, project: Project) -> Role | None:
    """The user's role in the project, or None."""
    found = Membership.objects.filter(project=project, user=user).values_list("role", flat=True).first()
    return Role(found) if found else None


def may(user: Any, permission: Permission, project: Project) -> bool:
    if not (user.is_authenticated and user.is_active):
        return False
    if user.is_superuser:
        return True
    role = role_of(user, project)
    needed = NEEDED_ROLE.get(permission)
    return role is not None and needed is not None and role.rank >= needed.rank


def demand(user: Any, permission: Permission, project: Project) -> None:
    """Quiet when the user may; Stranger when he may not even look; AccessDenied otherwise."""
    if may(user, permission, project):
        return
    if not may(user, Permission.VIEW, project):
        raise Stranger("There is no such project, or you are not a member of it.")
    needed = NEEDED_ROLE.get(permission)
    who = f"the {needed} role in this project" if needed else "an administrator"
    raise AccessDenied(f"This needs {who}; ask an owner of the project or an administrator.")


def project_for(user: Any, slug: str, permission: Permission = Permission.VIEW) -> Project:
    """The project of that slug, if the user may do that with it. Raises Stranger or AccessDenied."""
    project = Project.objects.filter(slug=slug).first() if _SLUG.fullmatch(slug) else None
    if project is None:
        raise Stranger("There is no such project, or you are not a member of it.")
    demand(user, permission, project)
    return project


def demand_administrator(user: Any) -> None:
    if not is_administrator(user):
        raise AccessDenied("This needs an administrator.")


def demand_project_creator(user: Any) -> None:
    if not may_create_projects(user):
        raise AccessDenied("Only administrators, and people they allow to, make projects; ask an administrator.")
