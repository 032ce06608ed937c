"""Projects as rows: making them, changing their settings, and who belongs to them."""

import math
import re
import unicodedata
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from projects.access import is_administrator
from projects.models import Membership, Project
from projects.services import credentials
from projects.services.decisions import quiet
from projects.services.environment import checked_environment
from projects.services.errors import BadInput, Busy, Forbidden, NotFound
from projects.services.record import Actor, record
from projects.services.workspace import checked_path, path_lock
from projects.states import RefreshMode, Role

SLUG_LENGTH = 50
RESERVED_SLUGS = frozenset({"new"})  # /projects/new/ is a page
THRESHOLDS = frozenset({"refresh_age_hours", "refresh_memory_percent", "refresh_disk_percent", "refresh_hard_limit_hours"})
"""None is a value of theirs: the hub's own threshold (of the hard limit: none)."""
SETTINGS = THRESHOLDS | {
    "name",
    "image",
    "cpu_limit",
    "memory_limit_mb",
    "pids_limit",
    "environment",
    "uses_host_credentials",
    "pinned",
    "refresh_mode",
    "refresh_quiet_hours",
}
NAME_LENGTH = 100
MEMORY_LIMIT_MB = 16 * 1024**2
PIDS_LIMIT = 4_194_304  # the kernel's own
_IMAGE = re.compile(r"(?:[a-z0-9][A-Za-z0-9._/:@-]{0,254})?")


def create_project(*, actor: Actor, name: str, path: str, cloned_from: str = "", **fields: Any) -> Project:
    """A project over an existing directory; `fields` are of SETTINGS. Who makes it becomes its owner, unless administrator.

    `uses_host_credentials` is on unless given when an administrator makes it, else off. Raises BadInput, Forbidden, Busy.
    """
    wished = _checked(None, actor, {"name": name, **fields})
    wished.setdefault("uses_host_credentials", _is_trusted(actor))
    with path_lock():
        project = Project(slug=free_slug(wished["name"]), path=checked_path(path), created_by=actor.user, **wished)
        _demand_valid(project)
        try:
            with transaction.atomic():
                project.save(force_insert=True)
                if actor.user is not None and not _is_trusted(actor):
                    Membership.objects.create(project=project, user=actor.user, role=Role.OWNER)
                source = f", cloned from {cloned_from}" if cloned_from else ""
                details = {"name": project.name, "path": project.path, **({"cloned_from": cloned_from} if cloned_from else {})}
                message = f"Project {project.slug} was made over {project.path}{source}."
                record("project.created", project=project, actor=actor, message=message, **details)
        except IntegrityError as error:
            raise Busy(
                "Another project of that name or directory was made at this very moment; look at the list, then try again."
            ) from error
    return project


def check_settings(*, actor: Actor, name: str, **fields: Any) -> None:
    """Quiet when a project could be made with these, as far as that can be told before. Raises BadInput, Forbidden."""
    _demand_valid(Project(slug=make_slug(name), path="/to-be-made", **_checked(None, actor, {"name": name, **fields})))


def update_project(*, project: Project, actor: Actor, **fields: Any) -> Project:
    """Change settings (of SETTINGS); a container takes them over at its next refresh. Raises BadInput, Forbidden, NotFound."""
    wished = _checked(project, actor, fields)
    with transaction.atomic():
        current = Project.objects.select_for_update().filter(pk=project.pk).first()
        if current is None:
            raise NotFound(f"The project {project.slug} was removed meanwhile.")
        changed = sorted(key for key, value in wished.items() if getattr(current, key) != value)
        for key in changed:
            setattr(current, key, wished[key])
        if changed:
            _demand_valid(current)
            current.save(update_fields=changed)
            message = f"The settings of {current.slug} were changed: {', '.join(changed)}."
            record("project.changed", project=current, actor=actor, message=message, changed=changed)
    if "uses_host_credentials" in changed:
        credentials.update_lent(current)  # what is taken back is gone from a running container at once
    return current


def set_member(*, project: Project, user: User, role: str, actor: Actor) -> tuple[Membership, bool]:
    """Give the user that role; also whether he is new. Raises BadInput for an unknown role, or when no owner would be left."""
    if role not in list(Role):
        raise BadInput(f"There is no role {role[:50]!r}; choose viewer, operator or owner.")
    with transaction.atomic():
        _lock(project)
        if role != Role.OWNER:
            _demand_another_owner(project, user)
        member, new = Membership.objects.update_or_create(project=project, user=user, defaults={"role": role})
        message = f"{user.get_username()} is now {role} of {project.slug}."
        record("member.set", project=project, actor=actor, message=message, member=user.get_username(), role=str(role))
    return member, new


def remove_member(*, project: Project, user: User, actor: Actor) -> None:
    """Raises NotFound when he is no member, BadInput when no owner would be left."""
    with transaction.atomic():
        _lock(project)
        _demand_another_owner(project, user)
        gone, _ = Membership.objects.filter(project=project, user=user).delete()
        if not gone:
            raise NotFound(f"{user.get_username()} is no member of {project.slug}.")
        message = f"{user.get_username()} is no longer a member of {project.slug}."
        record("member.removed", project=project, actor=actor, message=message, member=user.get_username())


def make_slug(name: str) -> str:
    """1 to 50 characters of a-z, 0-9 and inner hyphens; `project` where the name gives none."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:SLUG_LENGTH].strip("-") or "project"


def free_slug(name: str) -> str:
    """The slug that a project of this name would get now."""
    base, number = make_slug(name), 1
    taken = RESERVED_SLUGS | set(Project.objects.filter(slug__startswith=base[: SLUG_LENGTH - 10]).values_list("slug", flat=True))
    slug = base
    while slug in taken:
        number += 1
        slug = f"{base[: SLUG_LENGTH - 1 - len(str(number))].rstrip('-')}-{number}"
    return slug


def _is_trusted(actor: Actor) -> bool:
    """An administrator, or the hub's own command line: its user owns the host's credentials anyway."""
    return actor.user is None or is_administrator(actor.user)


def _checked(project: Project | None, actor: Actor, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields as they may be stored. None stands for "not given", but of THRESHOLDS."""
    wished = {key: value for key, value in fields.items() if value is not None or key in THRESHOLDS}
    unknown = sorted(set(wished) - SETTINGS)
    if unknown:
        raise BadInput(f"A project has no setting {unknown[0]!r} that can be changed; take one of {', '.join(sorted(SETTINGS))}.")
    if "name" in wished:
        wished["name"] = _checked_name(wished["name"])
    if not _IMAGE.fullmatch(wished.get("image", "")):
        raise BadInput("The image is not a name that Docker knows; write it as name:tag, or leave it empty for the base image.")
    if "environment" in wished:
        wished["environment"] = checked_environment(wished["environment"])
    if wished.get("memory_limit_mb", 0) > MEMORY_LIMIT_MB or wished.get("pids_limit", 0) > PIDS_LIMIT:
        raise BadInput(f"The most is {MEMORY_LIMIT_MB} MB of memory and {PIDS_LIMIT} processes; choose less.")
    if not math.isfinite(wished.get("cpu_limit", 1)):
        raise BadInput("The cores must be a number, for example 4.")
    _check_refresh(wished)
    before = project.uses_host_credentials if project else False
    if wished.get("uses_host_credentials", before) != before and not _is_trusted(actor):
        raise Forbidden("Only an administrator lends the host's credentials to a project, or takes them back; ask one.")
    return wished


def _check_refresh(wished: dict[str, Any]) -> None:
    mode = wished.get("refresh_mode", "")
    if mode not in ("", *RefreshMode):
        raise BadInput(f"There is no refresh mode {str(mode)[:50]!r}; choose act, suggest or off, or leave it empty for the hub's own.")
    for name in sorted(THRESHOLDS & set(wished)):
        if wished[name] is not None and not math.isfinite(wished[name]):
            raise BadInput(f"{name} must be a number; leave it empty for the hub's own.")
    checked_quiet_hours(wished.get("refresh_quiet_hours", ""))


def checked_quiet_hours(text: str) -> str:
    """Raises BadInput."""
    try:
        quiet.parse(text)
    except ValueError as error:
        raise BadInput(f"The quiet hours {error} (UTC); leave them empty for any time.") from error
    return text


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput(f"Give the project a name of 1 to {NAME_LENGTH} printable characters.")
    return name


def _demand_valid(project: Project) -> None:
    """The model's own validators (ranges), as one sentence."""
    try:
        project.clean_fields(exclude=["created_by"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise BadInput(f"{field}: {messages[0]}") from error


def _lock(project: Project) -> None:
    """Two owners who take each other's role away wait for one another. Raises NotFound."""
    if Project.objects.select_for_update().filter(pk=project.pk).first() is None:
        raise NotFound(f"The project {project.slug} was removed meanwhile.")


def _demand_another_owner(project: Project, user: User) -> None:
    owners = Membership.objects.filter(project=project, role=Role.OWNER)
    if owners.filter(user=user).exists() and not owners.exclude(user=user).exists():
        raise BadInput(f"{user.get_username()} is the last owner of {project.slug}; make somebody else an owner first.")
