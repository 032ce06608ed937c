"""What Prometheus reads: all of it from the database at the moment of the scrape, so that every process tells the same.

Names follow Prometheus' own rules (base units, `_total` on what only grows); docs/metrics.md names each.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric, SummaryMetricFamily
from prometheus_client.registry import Collector

from projects.models import CommandRun, Decision, Event, Heartbeat, Instance, Project, Tally
from projects.services import tallies

_SUMMARIES = {
    tallies.ACTION: ("containerhub_action_seconds", "How long an action on a container took.", ("action", "result")),
    tallies.SWEEP: ("containerhub_sweep_seconds", "How long one pass over all containers took.", ("result",)),
}


class HubCollector(Collector):
    """`sockets` is how many websockets the asking process holds, by kind."""

    def __init__(self, sockets: dict[str, int]) -> None:
        self._sockets = sockets

    def collect(self) -> Iterator[Metric]:
        yield from _containers()
        yield from _engine()
        yield from _work()
        yield from _signs_of_life()
        yield _gauge("containerhub_open_sockets", "Websockets of this web process.", ("kind",), self._sockets.items())


def exposition(sockets: dict[str, int]) -> bytes:
    """Prometheus' text format, version 0.0.4."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(HubCollector(sockets))
    return generate_latest(registry)


def _containers() -> Iterator[Metric]:
    rows = Project.objects.order_by().values_list("status", "health").annotate(n=Count("pk"))
    family = GaugeMetricFamily(
        "containerhub_containers", "Projects by their container's last observed status and health.", labels=("status", "health")
    )
    for status, health, number in rows:
        family.add_metric((status, health), number)
    yield family
    under_way = Project.objects.exclude(pending_action="").order_by().values_list("pending_action").annotate(n=Count("pk"))
    yield _gauge("containerhub_actions_under_way", "Actions on containers that are under way.", ("action",), under_way)


def _engine() -> Iterator[Metric]:
    reachable = not Instance.objects.filter(engine_reachable=False).exists()
    yield GaugeMetricFamily("containerhub_engine_up", "1 while the Docker Engine answers.", value=float(reachable))
    lost = Event.objects.filter(kind="engine.lost").count()
    yield CounterMetricFamily("containerhub_engine_lost", "How often the Engine stopped answering.", value=lost)
    errors = CounterMetricFamily("containerhub_engine_errors", "Actions and sweeps that the Engine's failing ended.", labels=("error",))
    kept = list(Tally.objects.all())
    for tally in kept:
        if tally.name == tallies.ENGINE_ERROR:
            errors.add_metric((tally.labels["error"],), tally.count)
    yield errors
    for name, (title, words, labels) in _SUMMARIES.items():
        family = SummaryMetricFamily(title, words, labels=labels)
        for tally in kept:
            if tally.name == name:
                family.add_metric([tally.labels.get(label, "") for label in labels], count_value=tally.count, sum_value=tally.total)
        yield family


def _work() -> Iterator[Metric]:
    runs = CommandRun.objects.order_by().values_list("state").annotate(n=Count("pk"))
    yield _gauge("containerhub_runs", "Command runs that are kept, by state.", ("state",), runs)
    decisions = CounterMetricFamily(
        "containerhub_decisions", "Decisions about health, counted when they change.", labels=("verdict", "rule")
    )
    for verdict, rule, number in Decision.objects.order_by().values_list("verdict", "rule").annotate(n=Count("pk")):
        decisions.add_metric((verdict, rule), number)
    yield decisions
    now = timezone.now()
    # A task that waits bears the moment of its coming as `lock`; one at work bears when it may be taken again.
    waiting = OrmQ.objects.filter(lock__lte=now)
    oldest: datetime | None = waiting.aggregate(at=Min("lock"))["at"]
    yield GaugeMetricFamily("containerhub_queue_tasks", "Tasks that wait for the worker.", value=waiting.count())
    lag = max(0.0, (now - oldest).total_seconds()) if oldest is not None else 0.0
    yield GaugeMetricFamily("containerhub_queue_lag_seconds", "How long the oldest of them has waited.", value=lag)


def _signs_of_life() -> Iterator[Metric]:
    now = timezone.now()
    ages = ((beat.role, (now - beat.beat_at).total_seconds()) for beat in Heartbeat.objects.all() if beat.beat_at)
    yield _gauge("containerhub_heartbeat_age_seconds", "Since the last sign of life of a process.", ("role",), ages)
    limits = {"per_project": settings.CONTAINERHUB.runs_per_project, "in_all": settings.CONTAINERHUB.runs_in_all}
    yield _gauge("containerhub_runs_limit", "The most commands that may run at once.", ("scope",), limits.items())


def _gauge(name: str, words: str, labels: tuple[str], values: Iterable[tuple[str, float]]) -> Metric:
    family = GaugeMetricFamily(name, words, labels=labels)
    for label, value in values:
        family.add_metric((label,), value)
    return family
