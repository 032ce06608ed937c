"""From readings to decisions: each container by itself, then the fleet as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import structlog
from django.conf import settings

from projects.engine.base import Engine
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
from projects.services.sweep.measuring import SECONDS, Reading, Readings
from projects.services.sweep.parallel import within
from projects.services.sweep.policy import policy_of
from projects.services.sweep.samples import memory_percent
from projects.services.terminals.work import foreground_work

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """One project as it was judged. `before` is its history without this look."""

    project: Project
    seen: Observation
    policy: Policy
    before: History
    history: History
    decision: Decision

    @property
    def docker_id(self) -> str:
        return self.seen.docker_id


def judge(
    engine: Engine,
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
    _look_into_terminals(engine, looks, now)
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
    look = Look(project, seen, policy, before, history, decide(seen, history, policy, now))
    return _busy(look, busy_reason(project, now=now), now) if look.decision.verdict in ACTS else look


def _busy(look: Look, reason: str, now: datetime) -> Look:
    if not reason:
        return look
    seen = replace(look.seen, busy_reason=reason)
    return replace(look, seen=seen, decision=decide(seen, look.history, look.policy, now))


def _look_into_terminals(engine: Engine, looks: dict[int, Look], now: datetime) -> None:
    """What runs in front of a terminal's shell only the containers know: those that are due are asked, all at once."""
    due = {pk: look.docker_id for pk, look in looks.items() if look.decision.verdict in ACTS and not look.seen.busy_reason}
    found = within(SECONDS, {pk: partial(foreground_work, engine, docker_id) for pk, docker_id in due.items()})
    for pk, reason in found.items():
        looks[pk] = _busy(looks[pk], reason, now)
