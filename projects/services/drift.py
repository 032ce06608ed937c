"""Where the Engine and the database disagree, and what people may do about it: adopt, remove, forget. Nothing of it is done unasked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, ContainerSummary
from projects.models import Project
from projects.services.catalog import create_project, free_slug
from projects.services.cleanup import remove_orphan
from projects.services.engines import current_engine
from projects.services.errors import BadInput, NotFound
from projects.services.reconcile import observe, strangers
from projects.services.record import Actor, record
from projects.services.spec import WORKSPACE
from projects.states import Health, Status, Wanted

GONE = "That container is no orphan of this hub any more; look at the page again."


@dataclass(frozen=True)
class Drift:
    """`orphaned`: ours, without a project. `foreign`: not ours, but with our kind of label or under a project's name.

    `missing`: projects whose container was removed from outside.
    """

    orphaned: Sequence[ContainerSummary]
    foreign: Sequence[ContainerSummary]
    missing: Sequence[Project]

    @property
    def nothing(self) -> bool:
        return not (self.orphaned or self.foreign or self.missing)


def look_at_drift() -> Drift:
    """One list call. Raises EngineUnreachable."""
    found = list(strangers(current_engine().containers.list()))
    by_name = sorted(found, key=lambda pair: pair[0].name)
    return Drift(
        orphaned=[summary for summary, ours in by_name if ours],
        foreign=[summary for summary, ours in by_name if not ours],
        missing=list(Project.objects.filter(status=Status.MISSING).order_by("slug")),
    )


def adopt_orphan(*, docker_id: str, actor: Actor) -> Project:
    """Make its project anew: of the same short name, over the same workspace, with the container's own limits.

    The host's credentials are not lent to it. Raises NotFound, BadInput when the workspace cannot be one any more, Busy.
    """
    summary = _orphan(docker_id)
    slug = summary.labels.get("project_id", "")
    info = current_engine().containers.inspect(summary.docker_id)
    if info is None:
        raise NotFound(GONE)
    workspace = next((mount.source for mount in info.mounts if mount.target == WORKSPACE), "")
    if not workspace:
        raise BadInput(f"The container {summary.name} has no workspace, so no project can be made of it; remove it.")
    name = summary.labels.get("project_name") or slug
    if free_slug(name) != slug:
        name = slug
    if free_slug(name) != slug:
        raise BadInput(f"No project can have the short name {slug!r} of the container {summary.name}; remove the container.")
    project = create_project(actor=actor, name=name, path=workspace, uses_host_credentials=False, **_settings_of(info))
    observe(project)
    project.refresh_from_db()
    return project


def remove_stray(*, docker_id: str, actor: Actor) -> str:
    """Stop and remove an orphan, with whatever runs in it; its name. Its workspace stays. Raises NotFound, EngineError."""
    summary = _orphan(docker_id)
    remove_orphan(current_engine(), summary, actor)
    return summary.name


def forget_missing(*, project: Project, actor: Actor) -> None:
    """Its container was removed from outside, and that is fine: none is wanted any more. Raises NotFound when it is not missing."""
    now = timezone.now()
    rows = Project.objects.filter(pk=project.pk, status=Status.MISSING, pending_action="")
    with transaction.atomic():
        if not rows.update(status=Status.NONE, status_at=now, health=Health.NONE, health_at=now, wanted=Wanted.NONE, docker_id=""):
            raise NotFound(f"The container of {project.slug} is not missing any more; look at the page again.")
        message = "Its container that was removed from outside was forgotten; ensure makes a new one."
        record("container.forgotten", project=project, actor=actor, message=message, docker_id=project.docker_id)


def _orphan(docker_id: str) -> ContainerSummary:
    """Looked for anew: what the page showed may have changed since."""
    for summary, ours in strangers(current_engine().containers.list()):
        if ours and summary.docker_id == docker_id:
            return summary
    raise NotFound(GONE)


def _settings_of(info: ContainerInfo) -> dict[str, Any]:
    found: dict[str, Any] = {"cpu_limit": info.cpu_limit, "pids_limit": info.pids_limit}
    if info.memory_limit_bytes:
        found["memory_limit_mb"] = info.memory_limit_bytes // 1024**2
    if info.image != settings.CONTAINERHUB.base_image and "-u" not in info.image.rpartition(":")[2]:
        found["image"] = info.image
    return found
