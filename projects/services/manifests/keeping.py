"""Manifests: what a refresh would take away now, and what each refresh took."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, Engine
from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import HealthMemory, Manifest, Project
from projects.services.engines import current_engine
from projects.services.errors import HubError, Unready
from projects.services.manifests.contents import Contents, from_json, summarise
from projects.services.ours import demand_ours
from projects.services.record import Actor, record
from projects.services.spec import container_name

KEPT = 20
"""Of each project; older ones go."""
SEVERAL = 5
PING_SECONDS = 3
PATIENCE_SECONDS = 60
PAGE_SECONDS = 5
"""A container with hundreds of thousands of files in its layer takes the Engine half a minute."""
TOO_MUCH = "The Engine did not list within {:g} s what the container has written: it is much; hub diff waits for longer."
NO_CONTAINER = "There is no container, so there is nothing to lose."

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ManifestView:
    """`contents` is None where it could not be made: `problem` says why. `docker_id` is empty where there is no container."""

    docker_id: str
    at: datetime
    contents: Contents | None
    problem: str = ""
    reason: str = ""
    layer_mb: float | None = None

    @property
    def sentence(self) -> str:
        if self.problem or self.contents is None:
            return f"What would be lost could not be found out: {self.problem}"
        return self.contents.sentence if self.docker_id else NO_CONTAINER

    @property
    def loses(self) -> bool:
        """Something, or nobody knows."""
        return self.contents is None or not self.contents.is_empty


def look(*, project: Project, patience_seconds: float = PATIENCE_SECONDS) -> ManifestView:
    """What a refresh would take away now. Raises ForeignContainer, Unready, EngineError."""
    engine = current_engine()
    engine.ping(timeout_seconds=PING_SECONDS)
    info = engine.containers.inspect(container_name(project, settings.CONTAINERHUB))
    if info is None:
        return ManifestView("", timezone.now(), Contents())
    demand_ours(info, project)
    try:
        contents = _contents(engine, info, patience_seconds)
    except EngineUnreachable as error:
        raise Unready(TOO_MUCH.format(patience_seconds)) from error
    memory = HealthMemory.objects.filter(project=project, layer_of=info.docker_id).first()
    return ManifestView(info.docker_id, timezone.now(), contents, layer_mb=memory.layer_mb if memory else None)


def look_or_say(*, project: Project) -> ManifestView:
    """The same for a page that has more to show: what prevents it is its `problem`."""
    try:
        return look(project=project, patience_seconds=PAGE_SECONDS)
    except (EngineError, HubError) as error:
        return unknown(project=project, error=error)


def unknown(*, project: Project, error: Exception) -> ManifestView:
    """What cannot be made, because of `error`."""
    log.warning("manifest.not_made", project=project.slug, error=str(error), cause=repr(error.__cause__))
    return ManifestView(project.docker_id, timezone.now(), None, problem=str(error))


def look_at_several(*, projects: Sequence[Project]) -> list[tuple[Project, ManifestView]]:
    """What each would lose, of the first SEVERAL: each is a question to the Engine."""
    return [(project, look_or_say(project=project)) for project in projects[:SEVERAL]]


def keep(*, project: Project, actor: Actor, engine: Engine, info: ContainerInfo, reason: str) -> Manifest:
    """Store it, just before a refresh, which goes on whether it could be made or not: its `problem` says so."""
    contents, problem = None, ""
    try:
        contents = _contents(engine, info, PATIENCE_SECONDS)
    except EngineError as error:
        problem = str(error)
        log.warning("manifest.not_made", project=project.slug, error=problem, cause=repr(error.__cause__))
    with transaction.atomic():
        row = Manifest.objects.create(
            project=project, docker_id=info.docker_id, reason=reason, contents=asdict(contents) if contents else None, problem=problem
        )
        old = Manifest.objects.filter(project=project).values_list("pk", flat=True)[KEPT:]
        Manifest.objects.filter(pk__in=list(old)).delete()
        told = f"The refresh takes away: {contents.sentence}" if contents else f"What the refresh takes away could not be told: {problem}"
        record("container.manifest", project=project, actor=actor, message=told, docker_id=info.docker_id, manifest=row.pk)
    return row


def view_of(row: Manifest) -> ManifestView:
    contents = from_json(row.contents) if row.contents is not None else None
    return ManifestView(row.docker_id, row.at, contents, problem=row.problem, reason=row.reason)


def _contents(engine: Engine, info: ContainerInfo, patience_seconds: float) -> Contents:
    return summarise(
        engine.containers.changes(info.docker_id, timeout_seconds=patience_seconds), mounted=[mount.target for mount in info.mounts]
    )
