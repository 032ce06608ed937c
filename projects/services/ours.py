"""Which containers on the Engine are this hub's, and which of them are a project's."""

import re
from collections.abc import Sequence

from django.conf import settings

from projects.engine.base import ContainerInfo, ContainerSummary, Engine
from projects.models import Project
from projects.services.errors import ForeignContainer
from projects.services.instance import instance_id
from projects.services.spec import LABEL_INSTANCE, MANAGED_BY, WORKSPACE, container_name, hub_labels, project_labels

_OLD = re.compile(r"\.old-(\d+)$")


def is_ours(found: ContainerInfo | ContainerSummary, project: Project) -> bool:
    labels = found.labels
    return (
        labels.get("managed_by") == MANAGED_BY and labels.get(LABEL_INSTANCE) == instance_id() and labels.get("project_id") == project.slug
    )


def demand_ours(info: ContainerInfo, project: Project) -> None:
    """Raises ForeignContainer when the name is taken by a container that this hub did not make for this workspace."""
    if not is_ours(info, project):
        raise ForeignContainer(
            f"The name {info.name} belongs to a container that this hub did not make ({info.short_id}): "
            f"rename or remove it (docker rename, docker rm), then try again."
        )
    workspace = next((mount.source for mount in info.mounts if mount.target == WORKSPACE), None)
    if workspace != project.path:
        raise ForeignContainer(
            f"The container {info.name} has another workspace ({workspace}) than the project ({project.path}): "
            f"look at what it holds, remove it (docker rm -f {info.name}), then try again."
        )


def our_containers(engine: Engine, *, running_only: bool = False) -> Sequence[ContainerSummary]:
    """Every container of this hub, predecessors included."""
    return engine.containers.list(labels=hub_labels(instance_id()), running_only=running_only)


def predecessors(engine: Engine, project: Project) -> list[ContainerSummary]:
    """The project's containers kept for the way back, newest first."""
    stem = container_name(project, settings.CONTAINERHUB)
    found = engine.containers.list(labels=project_labels(project, instance_id()))
    old = [summary for summary in found if summary.name.startswith(f"{stem}.old-") and is_predecessor(summary.name)]
    return sorted(old, key=lambda summary: int(_OLD.search(summary.name)[1]), reverse=True)  # type: ignore[index]


def is_predecessor(name: str) -> bool:
    return bool(_OLD.search(name))
