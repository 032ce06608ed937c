"""A project's wishes about its refreshes, with the hub's own where it has none."""

from datetime import timedelta

from containerhub.config import Config
from projects.models import Project
from projects.services.decisions import Policy, quiet
from projects.states import RefreshMode


def policy_of(project: Project, config: Config) -> Policy:
    return Policy(
        mode=RefreshMode(project.refresh_mode or config.refresh_mode),
        pinned=project.pinned,
        age_hours=_or(project.refresh_age_hours, config.refresh_age_hours),
        memory_percent=_or(project.refresh_memory_percent, config.refresh_memory_percent),
        disk_percent=_or(project.refresh_disk_percent, config.refresh_disk_percent),
        min_layer_mb=config.refresh_min_layer_mb,
        start_period=timedelta(seconds=config.start_period_seconds),
        quiet_hours=quiet.parse(project.refresh_quiet_hours),
        hard_limit_hours=project.refresh_hard_limit_hours,
    )


def _or(own: float | None, hubs: float) -> float:
    return hubs if own is None else own
