"""What the system page shows: the Engine, the hub's own parts, drift, and what takes room."""

import os
import platform
import shutil
from collections.abc import Sequence
from dataclasses import dataclass

import django
from django.conf import settings

from projects.engine.base import DiskUse, EngineInfo, ImageInfo
from projects.engine.errors import EngineError
from projects.models import Container, Instance
from projects.services.cleanup import CleanupItem, cleanup_all
from projects.services.doctor.engine import used_percent
from projects.services.drift import Drift, look_at_drift
from projects.services.engines import current_engine
from projects.services.heartbeats import Sign, signs, waiting_tasks
from projects.services.instance import instance
from projects.services.record import Actor
from projects.services.variants import remove_unused_variants, stale_images

PING_SECONDS = 3


@dataclass(frozen=True)
class System:
    """`engine` and `drift` None: the Engine does not answer, and `problem` says so."""

    engine: EngineInfo | None
    drift: Drift | None
    problem: str
    instance: Instance
    signs: Sequence[Sign]
    waiting: int
    versions: dict[str, str]


@dataclass(frozen=True)
class Room:
    """A file system: `what` stands on it, and how full it is, as df counts."""

    what: str
    path: str
    used_percent: float
    free_bytes: int


@dataclass(frozen=True)
class StaleImage:
    """`containers` counts those of this hub that stand on it: such a one stays."""

    image: ImageInfo
    containers: int


@dataclass(frozen=True)
class CleanupPreview:
    """A dry run: nothing of it is done yet."""

    use: Sequence[DiskUse]
    rooms: Sequence[Room]
    images: Sequence[StaleImage]
    containers: Sequence[CleanupItem]


def look_at_system() -> System:
    """An unreachable Engine is an answer."""
    engine, drift, problem = None, None, ""
    try:
        current_engine().ping(timeout_seconds=PING_SECONDS)
        engine, drift = current_engine().info(), look_at_drift()
    except EngineError as error:
        problem = str(error)
    versions = {"Python": platform.python_version(), "Django": django.get_version()}
    return System(engine, drift, problem, instance(), signs(), waiting_tasks(), versions)


def preview_cleanup(*, actor: Actor) -> CleanupPreview:
    """What takes room, and what could be removed. Slow on an Engine with much on it. Raises EngineUnreachable."""
    engine = current_engine()
    used = list(Container.objects.filter(removed_at__isnull=True).values_list("image_id", flat=True))
    return CleanupPreview(
        use=engine.disk_use(),
        rooms=_rooms(engine.info()),
        images=[StaleImage(image, used.count(image.image_id)) for image in stale_images(engine)],
        containers=cleanup_all(actor=actor, dry_run=True).items,
    )


def remove_stale_images() -> list[str]:
    """The names removed; what a container uses stays. Raises EngineUnreachable."""
    return remove_unused_variants(current_engine())


def _rooms(info: EngineInfo) -> list[Room]:
    places = [("the hub's data", str(settings.CONTAINERHUB.data_dir))]
    if info.is_local and os.path.isdir(info.root_dir):
        places.insert(0, ("the Engine's images and containers", info.root_dir))
    places += [("workspaces", str(root)) for root in settings.CONTAINERHUB.workspace_roots if os.path.isdir(root)]
    return [Room(what, path, used_percent(path), shutil.disk_usage(path).free) for what, path in places]
