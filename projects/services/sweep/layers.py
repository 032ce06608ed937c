"""The size of each container's own layer: slow to measure, so each at most hourly and all of them apart from the sweep."""

import time
from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from projects.engine.errors import EngineError, NoSuchObject
from projects.models import HealthMemory, Project
from projects.services.engines import current_engine
from projects.services.sweep.lease import taken
from projects.states import Status

EVERY = timedelta(hours=1)
SOONER = timedelta(minutes=10)
"""Where the Engine's disk is over the limit: then it matters."""
ROUND_SECONDS = 60
_MB = 1024 * 1024

log = structlog.get_logger(__name__)


def layers_due(memories: dict[int, HealthMemory], projects: list[Project], now: datetime, *, disk_is_full: bool) -> bool:
    return bool(_due(memories, projects, now, SOONER if disk_is_full else EVERY))


def measure_layers(*, now: datetime | None = None) -> int:
    """Measure those that wait longest, for at most a minute; how many. A second delivery measures nothing."""
    now = now or timezone.now()
    with taken("layers", now) as lease:
        if lease is None:
            return 0
        engine = current_engine()
        projects = list(Project.objects.filter(status=Status.RUNNING).exclude(docker_id=""))
        memories = {memory.project_id: memory for memory in HealthMemory.objects.all()}
        until = time.monotonic() + ROUND_SECONDS
        measured = 0
        for project in _due(memories, projects, now, SOONER):
            if time.monotonic() > until:
                break
            try:
                size = engine.containers.layer_bytes(project.docker_id)
            except NoSuchObject:
                continue
            except EngineError as error:
                log.warning("sweep.layer_not_measured", project=project.slug, error=str(error))
                continue
            fields = {"layer_of": project.docker_id, "layer_mb": round(size / _MB, 2), "layer_at": now}
            HealthMemory.objects.update_or_create(project=project, defaults=fields)
            measured += 1
        return measured


def _due(memories: dict[int, HealthMemory], projects: list[Project], now: datetime, every: timedelta) -> list[Project]:
    """Those never measured first, then the oldest."""
    waiting: list[tuple[datetime, Project]] = []
    for project in projects:
        memory = memories.get(project.pk)
        if memory is None or memory.layer_at is None or memory.layer_of != project.docker_id:
            waiting.append((datetime.min.replace(tzinfo=now.tzinfo), project))
        elif now - memory.layer_at >= every:
            waiting.append((memory.layer_at, project))
    return [project for _, project in sorted(waiting, key=lambda pair: (pair[0], pair[1].pk))]
