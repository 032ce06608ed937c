"""From readings to decisions: each container by itself, then the fleet as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import structlog
from django.conf import settings

from projects.models import Container, HealthMemory, Project
from projects.services.decisions import (
    ACTS,
    Act,
    Decision,
    Fleet,
    History,
    Observation,
    Policy,
    after,
    decide,
    follow,
    grant,
    suspect,
)
from projects.services.overview import busy_reason
from projects.services.sweep.history import remembered
from projects.services.sweep.measuring import Reading, Readings
from projects.services.sweep.policy import policy_of
from projects.services.sweep.samples import memory_percent

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """One project as it was judged. `before` is its history without this look."""

    project: Project
    docker_id: str
    before: History
    history: History
    decision: Decision


def judge(
    projects: Iterable[Project],
    readings: Readings,
    memories: Mapping[int, HealthMemory],
    acts: Mapping[int, tuple[Act, ...]],
    fleet: Fleet,
    now: datetime,
) -> tuple[list[Look], Fleet]:
    """The looks, oldest container first, and the fleet with what is suspected. One that cannot be judged stops no other."""
    proving = set(Container.objects.filter(prove_until__isnull=False, removed_at__isnull=True).values_list("project_id", flat=True))
    looks: dict[int, Look] = {}
    for project in sorted(projects, key=lambda project: readings.of[project.pk].summary.created_at):
        memory = memories.get(project.pk)
        seen = observation(project, readings.of[project.pk], memory, readings.engine_percent, proving=project.pk in proving)
        try:
            looks[project.pk] = _one(project, seen, remembered(memory, acts.get(project.pk, ())), now)
        except Exception:
            log.exception("sweep.not_judged", project=project.slug)
    decisions = {pk: look.decision for pk, look in looks.items()}
    fleet = suspect(decisions.values(), fleet, now)
    granted = grant(decisions, fleet, now)
    done = [replace(look, decision=granted[pk], history=after(look.history, granted[pk], now)) for pk, look in looks.items()]
    return done, fleet


def observation(
    project: Project, reading: Reading, memory: HealthMemory | None, engine_percent: float | None, *, proving: bool
) -> Observation:
    summary, info = reading.summary, reading.info
    measured = memory if memory is not None and memory.layer_of == summary.docker_id else None
    return Observation(
        docker_id=summary.docker_id,
        status=summary.status,
        created_at=summary.created_at,
        started_at=info.started_at if info else None,
        pending_action=project.pending_action,
        proving=proving,
        health=info.health if info else summary.health,
        failing_streak=info.failing_streak if info else 0,
        memory_percent=memory_percent(reading),
        disk_percent=engine_percent,
        layer_mb=measured.layer_mb if measured else None,
        layer_at=measured.layer_at if measured else None,
    )


def _one(project: Project, seen: Observation, before: History, now: datetime) -> Look:
    """Whether somebody is busy is asked only where it matters."""
    policy: Policy = policy_of(project, settings.CONTAINERHUB)
    history = follow(before, seen, policy, now)
    decision = decide(seen, history, policy, now)
    if decision.verdict in ACTS and (busy := busy_reason(project, now=now)):
        decision = decide(replace(seen, busy_reason=busy), history, policy, now)
    return Look(project, seen.docker_id, before, history, decision)
