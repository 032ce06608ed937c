"""Containers that were made from an image which has been built anew since: which they are, and refreshing those that are idle."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.db.models import QuerySet

from projects.access import Permission, may
from projects.engine.base import Engine
from projects.models import Batch, Container, Project
from projects.services.batches import start_batch
from projects.services.engines import current_engine
from projects.services.errors import NotFound
from projects.services.overview import busy_reason
from projects.services.record import Actor
from projects.services.variants import LABEL_IMAGE, LABEL_VARIANT_OF
from projects.states import BatchAction


@dataclass(frozen=True)
class Outdated:
    """`image` is what the project names; `busy` says why its container is left alone now, or nothing."""

    project: Project
    container: Container
    image: str
    busy: str


def outdated_containers(projects: QuerySet[Project], *, most: int | None = None) -> list[Outdated]:
    """Of these projects, by slug, at most so many. One whose image is not on the Engine is not told of. Raises EngineUnreachable."""
    rows = Container.objects.filter(removed_at__isnull=True).exclude(image_id="").select_related("project")
    pairs = [
        (row.project, row) for row in rows.filter(project__in=projects).order_by("project__slug") if row.docker_id == row.project.docker_id
    ]
    current = _current_ids(current_engine(), {_image_of(project) for project, _row in pairs})
    found = [(project, row) for project, row in pairs if _is_older(row, current[_image_of(project)])]
    return [Outdated(project, row, _image_of(project), busy_reason(project)) for project, row in found[:most]]


def refresh_idle(*, projects: QuerySet[Project], actor: Actor) -> tuple[Batch, Sequence[Outdated]]:
    """Refresh those that are outdated and idle, as far as the actor may; also those that were left since they are busy.

    Each is asked once more when its turn comes. Raises NotFound where there is none to refresh, EngineUnreachable.
    """
    found = [one for one in outdated_containers(projects) if may(actor.user, Permission.OPERATE, one.project)]
    busy = [one for one in found if one.busy]
    idle = [one.project for one in found if not one.busy]
    if not idle:
        left = f" {len(busy)} are busy and were left alone." if busy else ""
        raise NotFound(f"There is no idle container from an older image that you may refresh.{left}")
    return start_batch(projects=idle, action=BatchAction.REFRESH, actor=actor, only_idle=True), busy


def _is_older(row: Container, current: set[str]) -> bool:
    return bool(current) and row.image_id not in current


def _image_of(project: Project) -> str:
    return project.image or settings.CONTAINERHUB.base_image


def _current_ids(engine: Engine, refs: Iterable[str]) -> dict[str, set[str]]:
    """For each reference the ids that a container made now may have: the image, and its variants for owners of workspaces."""
    variants = engine.images.list(labels={LABEL_IMAGE: "variant"}) if refs else []
    found: dict[str, set[str]] = {}
    for ref in refs:
        image = engine.images.inspect(ref)
        found[ref] = (
            {image.image_id, *(one.image_id for one in variants if one.labels.get(LABEL_VARIANT_OF) == image.image_id)} if image else set()
        )
    return found
