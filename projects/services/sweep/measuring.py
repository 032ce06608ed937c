"""What all containers look like and use now: one list call, one round of usage, disks and sick containers at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from django.conf import settings

from projects.engine.base import ContainerInfo, ContainerSummary, Engine, EngineInfo, Usage
from projects.models import Project
from projects.services.instance import instance_id
from projects.services.ours import is_ours
from projects.services.spec import container_name, hub_labels
from projects.services.sweep.parallel import within
from projects.services.usage import percent_of_path
from projects.states import Health, Status

SECONDS = 15
"""After so long what has not answered is unknown."""


@dataclass(frozen=True)
class Reading:
    """One container. `info` is only asked for where its health calls for it."""

    summary: ContainerSummary
    info: ContainerInfo | None = None
    usage: Usage | None = None
    workspace_percent: float | None = None


@dataclass(frozen=True)
class Readings:
    """By the project's primary key; a project without a container is not among them."""

    of: dict[int, Reading] = field(default_factory=dict)
    engine_percent: float | None = None

    @property
    def running(self) -> int:
        return sum(reading.summary.status is Status.RUNNING for reading in self.of.values())


def measure(engine: Engine, projects: Sequence[Project]) -> Readings:
    """Raises EngineUnreachable."""
    by_name = {found.name: found for found in engine.containers.list(labels=hub_labels(instance_id()))}
    summaries: dict[int, ContainerSummary] = {}
    for project in projects:
        found = by_name.get(container_name(project, settings.CONTAINERHUB))
        if found is not None and is_ours(found, project):
            summaries[project.pk] = found
    running = {pk: found for pk, found in summaries.items() if found.status is Status.RUNNING}
    info = within(SECONDS, {"info": engine.info}).get("info")
    usages = within(SECONDS, {"usages": lambda: engine.stats.usages([found.docker_id for found in running.values()])}).get("usages", {})
    sick = {pk: found.docker_id for pk, found in running.items() if found.health is Health.UNHEALTHY}
    infos = within(SECONDS, {pk: _inspect(engine, docker_id) for pk, docker_id in sick.items()})
    disks = _disks(info, [project for project in projects if project.pk in running])
    readings = {pk: Reading(found, infos.get(pk), usages.get(found.docker_id), disks.get(pk)) for pk, found in summaries.items()}
    return Readings(readings, disks.get(0))


def _inspect(engine: Engine, docker_id: str) -> Callable[[], ContainerInfo | None]:
    return lambda: engine.containers.inspect(docker_id)


def _disks(info: EngineInfo | None, projects: Sequence[Project]) -> dict[int, float | None]:
    """How full each workspace's disk is, and under 0 the Engine's; nothing where the Engine is elsewhere."""
    if info is None or not info.is_local:
        return {}
    paths = {0: info.root_dir, **{project.pk: project.path for project in projects}}
    return within(SECONDS, {pk: _percent(path) for pk, path in paths.items()})


def _percent(path: str) -> Callable[[], float | None]:
    return lambda: percent_of_path(path)
