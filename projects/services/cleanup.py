"""Stop and remove every container of this hub: a command with a dry run, never done unasked."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db import transaction

from projects.engine.base import ContainerSummary, Engine
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.lifecycle import remove_container
from projects.services.ours import our_containers
from projects.services.record import Actor, record


@dataclass(frozen=True)
class CleanupItem:
    """One container: `removed` tells whether it was (False in a dry run), `error` why not."""

    name: str
    container_id: str
    project: str
    status: str
    removed: bool
    error: str = ""


@dataclass(frozen=True)
class CleanupReport:
    dry_run: bool
    items: tuple[CleanupItem, ...]


def cleanup_all(*, actor: Actor, dry_run: bool = True, only: Collection[str] | None = None) -> CleanupReport:
    """Every container with our label and instance, running or not; of these `only` the ones of these ids (12 hex), if given.

    One that fails stops no other.
    """
    engine = current_engine()
    found = sorted(our_containers(engine), key=lambda summary: summary.name)
    found = [summary for summary in found if only is None or summary.docker_id[:12] in only]
    if dry_run:
        return CleanupReport(True, tuple(_item(summary, removed=False) for summary in found))
    return CleanupReport(False, tuple(_remove(engine, summary, actor) for summary in found))


def _remove(engine: Engine, summary: ContainerSummary, actor: Actor) -> CleanupItem:
    project = Project.objects.filter(slug=summary.labels.get("project_id", "")).first()
    try:
        if project is not None:
            remove_container(project=project, actor=actor)
        if engine.containers.inspect(summary.docker_id) is not None:
            remove_orphan(engine, summary, actor)
    except (EngineError, HubError) as error:
        return _item(summary, removed=False, error=str(error))
    return _item(summary, removed=True)


def remove_orphan(engine: Engine, summary: ContainerSummary, actor: Actor) -> None:
    """Stop and remove a container of this hub that has no project."""
    engine.containers.stop(summary.docker_id)
    engine.containers.remove(summary.docker_id, force=True)
    with transaction.atomic():
        message = f"Container {summary.name} ({summary.docker_id[:12]}) had no project and was removed."
        record("container.removed", slug=summary.labels.get("project_id", "")[:50], actor=actor, message=message)


def _item(summary: ContainerSummary, *, removed: bool, error: str = "") -> CleanupItem:
    return CleanupItem(
        name=summary.name,
        container_id=summary.docker_id[:12],
        project=summary.labels.get("project_id", ""),
        status=summary.status,
        removed=removed,
        error=error,
    )
