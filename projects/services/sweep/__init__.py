"""The sweep: all containers in one pass, each minute. It measures, stores, decides, and hands acts to the worker.

Nothing here waits for a single container: what does not answer in time is unknown. Killed in the middle, the next one
finds the lease expired and the open acts among the decisions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from projects.models import HealthMemory, Project
from projects.services.decisions import Fleet
from projects.services.engines import current_engine
from projects.services.record import HUB, record
from projects.services.sweep import samples
from projects.services.sweep.act import carry_out, close_stale, under_way
from projects.services.sweep.history import acts_since
from projects.services.sweep.judging import judge
from projects.services.sweep.layers import layers_due, measure_layers
from projects.services.sweep.lease import Held, LeaseLost, taken
from projects.services.sweep.measuring import Readings, measure
from projects.services.sweep.writing import latest_decisions, write
from projects.services.tallies import SWEEP as TIMED
from projects.services.tallies import timed
from projects.states import Rule

__all__ = ["Report", "carry_out", "measure_layers", "sweep"]

SWEEP = "sweep"
AGAIN_AFTER = timedelta(seconds=90)
"""An act that nobody began for so long is handed over again."""

log = structlog.get_logger(__name__)
Task = Callable[..., object]


@dataclass(frozen=True)
class Report:
    """How many containers were seen, samples stored and acts handed over."""

    containers: int
    samples: int
    acts: tuple[int, ...]


def hand_over(task: str, *arguments: int) -> None:
    """To the worker, as a task of its own: an act takes its time, and a sweep must not wait for it."""
    async_task(f"projects.tasks.{task}", *arguments, task_name=task)


def sweep(*, now: datetime | None = None, task: Task = hand_over) -> Report | None:
    """One pass over all containers; None when another is at it, or has just been. Raises EngineUnreachable."""
    now = now or timezone.now()
    with taken(SWEEP, now) as lease:
        if lease is None:
            return None
        try:
            with timed(TIMED):
                return _sweep(lease, now, task)
        except LeaseLost:
            log.warning("sweep.overtaken")
            return None


def _sweep(lease: Held, now: datetime, task: Task) -> Report:
    close_stale(now)
    projects = list(Project.objects.all())
    engine = current_engine()
    readings = measure(engine, projects)
    projects = [project for project in projects if project.pk in readings.of]
    lease.confirm()
    memories = {memory.project_id: memory for memory in HealthMemory.objects.all()}
    layers = {
        pk: memory.layer_mb for pk, memory in memories.items() if pk in readings.of and memory.layer_of == readings.of[pk].summary.docker_id
    }
    stored = samples.store(readings, layers, now)
    samples.roll_up(now)
    open_acts = under_way()
    fleet = Fleet(readings.running, len(open_acts), _suspected(lease))
    free = [project for project in projects if project.pk not in open_acts]
    looks, fleet = judge(engine, free, readings, memories, acts_since(now), fleet, now)
    _tell_suspicion(lease, fleet)
    lease.confirm()
    new = write(looks, latest_decisions(), now)
    again = [row for row in open_acts.values() if row.started_at is None and now - row.at >= AGAIN_AFTER]
    for row in (*new, *again):
        task("carry_out", row.pk)
    full = _tell_full_disk(lease, readings)
    if layers_due(memories, [project for project in projects if project.docker_id], now, disk_is_full=full):
        task("measure_layers")
    return Report(len(readings.of), stored, tuple(row.pk for row in new))


def _suspected(lease: Held) -> dict[Rule, datetime]:
    return {Rule(rule): datetime.fromisoformat(at) for rule, at in lease.memory.get("suspected", {}).items()}


def _tell_suspicion(lease: Held, fleet: Fleet) -> None:
    """Once for each rule, when it begins."""
    before = lease.memory.get("suspected", {})
    lease.memory["suspected"] = {str(rule): at.isoformat() for rule, at in fleet.suspected_at.items()}
    for rule in fleet.suspected_at:
        if rule not in before:
            message = (
                f"More than a fifth of the {fleet.size} running containers are due by the rule {rule} at once, so none of them is acted "
                "on: the reading is suspected. Look at it; their people can refresh them by hand."
            )
            record("health.suspected", actor=HUB, message=message, rule=str(rule), fleet=fleet.size)


def _tell_full_disk(lease: Held, readings: Readings) -> bool:
    """Once, when the Engine's disk goes over the hub's limit."""
    limit = settings.CONTAINERHUB.refresh_disk_percent
    percent = readings.engine_percent
    full = percent is not None and percent > limit
    if full and not lease.memory.get("disk_told"):
        message = f"The Engine's disk is {percent:.1f} % full, over {limit:g} %: remove images and files that nobody needs."
        record("engine.disk_full", actor=HUB, message=message, percent=percent)
    lease.memory["disk_told"] = full
    return full
