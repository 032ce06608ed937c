"""What a project's container printed."""

from collections.abc import Iterator
from datetime import datetime

from django.conf import settings

from projects.engine.errors import NoSuchObject
from projects.models import Project
from projects.services.engines import current_engine
from projects.services.errors import NotFound
from projects.services.ours import demand_ours
from projects.services.spec import container_name


def container_logs(*, project: Project, tail: int | None, since: datetime | None = None, timestamps: bool = False) -> bytes:
    """Its last `tail` lines (None: all), stdout and stderr in order. Raises NotFound without a container, ForeignContainer."""
    docker_id = _container_of(project)
    try:
        return current_engine().containers.logs(docker_id, tail=tail, since=since, timestamps=timestamps)
    except NoSuchObject as error:
        raise NotFound(_missing(project)) from error


def follow_container_logs(
    *, project: Project, tail: int | None, since: datetime | None = None, timestamps: bool = False
) -> Iterator[bytes]:
    """As `container_logs`, and then what comes until the container stops; close the iterator to stop. Raises the same."""
    docker_id = _container_of(project)
    try:
        return current_engine().containers.follow_logs(docker_id, tail=tail, since=since, timestamps=timestamps)
    except NoSuchObject as error:
        raise NotFound(_missing(project)) from error


def _container_of(project: Project) -> str:
    info = current_engine().containers.inspect(container_name(project, settings.CONTAINERHUB))
    if info is None:
        raise NotFound(_missing(project))
    demand_ours(info, project)
    return info.docker_id


def _missing(project: Project) -> str:
    return f"The project {project.slug} has no container: ensure it first."
