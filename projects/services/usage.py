"""What a project's running container uses, in the numbers of the API."""

import os
from dataclasses import dataclass

from django.utils import timezone

from projects.engine.base import ContainerInfo, ContainerSummary, Engine, Usage
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.asking import ask
from projects.services.commands.start import running_container
from projects.services.engines import current_engine
from projects.services.errors import ContainerNotRunning
from projects.services.spec import WORKSPACE

_MB = 1024 * 1024
_local: dict[int, tuple[Engine, bool]] = {}


@dataclass(frozen=True)
class Stats:
    """Rounded to two decimals; what is not known is None, never 0. `cpu_percent` counts 100 per core, 1 MB is 1024² bytes."""

    status: str
    age_hours: float
    cpu_percent: float | None
    memory_usage_mb: float
    memory_limit_mb: float | None
    memory_percent: float | None
    disk_usage_percent: float | None
    pids: int
    network_rx_mb: float
    network_tx_mb: float


def get_stats(*, project: Project) -> Stats:
    """What the container uses now. Raises ContainerNotRunning, ForeignContainer, EngineError."""
    engine = current_engine()
    return stats_of(engine, project, running_container(engine, project))


def stats_of(engine: Engine, project: Project, info: ContainerInfo) -> Stats:
    """Raises ContainerNotRunning when it stopped meanwhile, EngineError."""
    usage = engine.stats.usage(info.docker_id)
    if usage is None:
        raise ContainerNotRunning("The project's container is not running; run ensure first.")
    return stats_from(info, usage, disk_percent(engine, project, info.docker_id))


def disk_percent(engine: Engine, project: Project, ref: str) -> float | None:
    """How full the workspace's file system is, as `df` counts; None when nobody can tell."""
    if _is_local(engine):
        return percent_of_path(project.path)
    try:
        answer = ask(engine, ref, ("df", "-P", "-B1", WORKSPACE))
    except EngineError:
        return None  # unknown, and said so: the caller's own calls meet the same error
    return _percent_of_df(answer.stdout) if answer.exit_code == 0 else None


def stats_from(container: ContainerInfo | ContainerSummary, usage: Usage, disk: float | None) -> Stats:
    """What was measured, in the numbers of the API."""
    now = timezone.now()
    limit = usage.memory_limit_bytes
    return Stats(
        status=str(container.status),
        age_hours=round((now - container.created_at).total_seconds() / 3600, 2),
        cpu_percent=None if usage.cpu_percent is None else round(usage.cpu_percent, 2),
        memory_usage_mb=round(usage.memory_bytes / _MB, 2),
        memory_limit_mb=round(limit / _MB, 2) if limit else None,
        memory_percent=round(100 * usage.memory_bytes / limit, 2) if limit else None,
        disk_usage_percent=disk,
        pids=usage.pids,
        network_rx_mb=round(usage.network_rx_bytes / _MB, 2),
        network_tx_mb=round(usage.network_tx_bytes / _MB, 2),
    )


def _is_local(engine: Engine) -> bool:
    """Asked once per engine: it does not move. The engine is kept beside its answer, so that its id stays its own."""
    known = _local.get(id(engine))
    if known is None:
        known = _local[id(engine)] = (engine, engine.info().is_local)
    return known[1]


def percent_of_path(path: str) -> float | None:
    """How full the file system is that holds this path; None when it cannot be seen."""
    try:
        disk = os.statvfs(path)
    except OSError:
        return None
    return _percent(disk.f_blocks - disk.f_bfree, disk.f_bavail)


def _percent_of_df(output: bytes) -> float | None:
    """From `df -P -B1 <path>`: a header, then `device blocks used available capacity mountpoint`."""
    fields = output.decode(errors="replace").splitlines()[-1:]
    numbers = fields[0].split()[1:4] if fields else []
    if len(numbers) != 3 or not all(number.isdigit() for number in numbers):
        return None
    return _percent(int(numbers[1]), int(numbers[2]))


def _percent(used: int, available: int) -> float | None:
    return round(100 * used / (used + available), 2) if used + available > 0 else None
