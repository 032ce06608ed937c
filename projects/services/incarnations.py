"""The rows of containers that were: opened when one is made or adopted, closed when it is gone."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.utils import timezone

from projects.engine.base import ContainerInfo
from projects.models import Container, Project
from projects.services.spec import LABEL_GENERATION, LABEL_SPEC_HASH
from projects.states import Status


def open_row(project: Project, info: ContainerInfo, *, notes: Sequence[str] = ()) -> tuple[Container, bool]:
    """The row of this container, and whether it is new. Call it in the transaction that records the event."""
    return Container.objects.get_or_create(
        docker_id=info.docker_id,
        defaults={
            "project": project,
            "name": info.name,
            "generation": generation_of(info),
            "image": info.image,
            "image_id": info.image_id,
            "spec_hash": info.labels.get(LABEL_SPEC_HASH, ""),
            "cpu_limit": info.cpu_limit,
            "memory_limit_mb": info.memory_limit_bytes // 1024**2 if info.memory_limit_bytes else None,
            "pids_limit": info.pids_limit,
            "mounts": [asdict(mount) for mount in info.mounts],
            "notes": list(notes),
            "created_at": info.created_at,
            "started_at": info.started_at,
            **_ending(info),
        },
    )


def note_ending(info: ContainerInfo) -> None:
    """How it ended, or since when it runs: what the Engine forgets with the container."""
    Container.objects.filter(docker_id=info.docker_id).update(started_at=info.started_at, **_ending(info))


def began_anew(info: ContainerInfo) -> bool:
    """It runs, but not since the start that is noted of it: it was started again behind the hub's back."""
    known = Container.objects.filter(docker_id=info.docker_id).values_list("started_at", flat=True).first()
    return info.running and known is not None and info.started_at is not None and info.started_at > known


def is_as_noted(info: ContainerInfo) -> bool:
    """It runs, or has ended, as it did when it was last looked at."""
    known = Container.objects.filter(docker_id=info.docker_id).values_list("exit_code", flat=True).first()
    return (known is None) == info.running


def current_row(project: Project) -> Container | None:
    """The row of the container now under the project's name."""
    if not project.docker_id:
        return None
    return Container.objects.filter(docker_id=project.docker_id).first()


def close_rows(project: Project, *, reason: str, keep: str = "") -> int:
    """Close every open row of the project but that of docker_id `keep`; how many were closed."""
    rows = Container.objects.filter(project=project, removed_at__isnull=True).exclude(docker_id=keep)
    return rows.update(removed_at=timezone.now(), end_reason=reason, prove_until=None, predecessor_id_on_engine="")


def close_row(docker_id: str, *, reason: str) -> None:
    for row in Container.objects.filter(docker_id=docker_id, removed_at__isnull=True):
        row.close(reason)


def generation_of(info: ContainerInfo) -> int:
    text = info.labels.get(LABEL_GENERATION, "")
    return int(text) if text.isdigit() else 0


def _ending(info: ContainerInfo) -> dict[str, Any]:
    ended = info.status in (Status.EXITED, Status.DEAD)
    return {"exit_code": info.exit_code if ended else None, "oom_killed": ended and info.oom_killed}
