"""The plan's one answer about a container's health: healthy or not, and why."""

from dataclasses import dataclass

from django.conf import settings

from containerhub.config import Config
from projects.engine.base import ContainerInfo
from projects.models import Project
from projects.services.commands.start import running_container
from projects.services.engines import current_engine
from projects.services.errors import ContainerNotRunning
from projects.services.usage import Stats, stats_of
from projects.states import Health

NOT_RUNNING = "Container not running"


@dataclass(frozen=True)
class HealthAnswer:
    healthy: bool
    reason: str


def check_health(*, project: Project) -> HealthAnswer:
    """Look at the container now. Raises ForeignContainer, EngineError."""
    engine = current_engine()
    try:
        info = running_container(engine, project)
        stats = stats_of(engine, project, info)
    except ContainerNotRunning:
        return HealthAnswer(False, NOT_RUNNING)
    return judge(info, stats, settings.CONTAINERHUB)


def judge(info: ContainerInfo, stats: Stats, config: Config) -> HealthAnswer:
    """The first thing that is wrong, in the plan's order. What is unknown is not held against the container."""
    if stats.age_hours > config.refresh_age_hours:
        return HealthAnswer(False, f"Container too old: {stats.age_hours:.1f} hours")
    if stats.disk_usage_percent is not None and stats.disk_usage_percent > config.refresh_disk_percent:
        return HealthAnswer(False, f"Disk usage too high: {stats.disk_usage_percent:.0f}%")
    if stats.memory_percent is not None and stats.memory_percent > config.refresh_memory_percent:
        return HealthAnswer(False, f"Memory usage too high: {stats.memory_percent:.1f}%")
    if info.health is Health.UNHEALTHY:
        output = " ".join(info.health_output.split())
        return HealthAnswer(False, f"Health check failed {info.failing_streak} times" + (f": {output}" if output else ""))
    return HealthAnswer(True, "Healthy")
