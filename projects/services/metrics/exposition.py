"""The page itself: a collector that asks the database at each scrape, in as many queries for a thousand projects as for one."""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime

from django.db.models import Count, Min
from django.utils import timezone
from django_q.models import OrmQ
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from projects.models import CommandRun, Counter, Delivery, Heartbeat, Instance, Lease, Project
from projects.services import sweep
from projects.services.metrics.counters import ACTIONS, BUCKETS, DECISIONS, ENGINE_ERRORS
from projects.services.metrics.sockets import open_sockets
from projects.states import DeliveryState, RunState

PREFIX = "containerhub_"


def exposition(accept: str) -> tuple[bytes, str]:
    """The page and its content type: OpenMetrics where it is asked for, else Prometheus' text."""
    registry = CollectorRegistry(auto_describe=False)  # of its own: the library's default one tells of one process
    registry.register(HubCollector())
    encode, content_type = choose_encoder(accept)
    return encode(registry), content_type


class HubCollector(Collector):
    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield _containers()
        yield _engine()
        yield from _sweep()
        yield from _counted()
        yield from _queue(now)
        yield _gauge("open_sockets", "Websockets that are open, by kind.", ["kind"], (([kind], n) for kind, n in open_sockets().items()))
        yield _by_state("runs", "Command runs that are kept, by state.", CommandRun, RunState)
        yield _by_state("notifications", "Notifications that are kept, by state.", Delivery, DeliveryState)
        yield _heartbeats(now)


def _gauge(name: str, about: str, labels: list[str], values: Iterable[tuple[list[str], float]]) -> Metric:
    family = GaugeMetricFamily(PREFIX + name, about, labels=labels)
    for words, value in values:
        family.add_metric(words, value)
    return family


def _containers() -> Metric:
    rows = Project.objects.order_by().values_list("status", "health").annotate(n=Count("pk"))
    about = "Projects by what was last observed of their container."
    return _gauge("containers", about, ["status", "health"], (([status, health], n) for status, health, n in rows))


def _engine() -> Metric:
    row = Instance.objects.first()
    return _gauge("engine_reachable", "Whether the Docker Engine answers: 1 or 0.", [], [([], row is None or row.engine_reachable)])


def _sweep() -> Iterator[Metric]:
    """No value before the first one."""
    lease = Lease.objects.filter(name=sweep.SWEEP).first()
    duration = GaugeMetricFamily(PREFIX + "sweep_duration_seconds", "How long the last sweep took.")
    ended = GaugeMetricFamily(PREFIX + "sweep_last_timestamp_seconds", "When the last sweep ended, in seconds since 1970.")
    if lease is not None and sweep.TOOK in lease.memory:
        duration.add_metric([], lease.memory[sweep.TOOK])
        ended.add_metric([], datetime.fromisoformat(lease.memory[sweep.ENDED]).timestamp())
    yield duration
    yield ended


def _counted() -> Iterator[Metric]:
    rows: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for row in Counter.objects.all():
        rows[row.name].append((json.loads(row.labels), row.value))
    yield _counter(DECISIONS, "What sweeps decided, each change once.", ["verdict", "rule"], rows)
    yield _counter(ENGINE_ERRORS, "What went wrong with the Docker Engine.", ["kind"], rows)
    yield _durations(rows)


def _counter(name: str, about: str, labels: list[str], rows: dict[str, list[tuple[dict[str, str], float]]]) -> Metric:
    family = CounterMetricFamily(PREFIX + name, about, labels=labels)
    for words, value in rows[name]:
        family.add_metric([words[label] for label in labels], value)
    return family


def _durations(rows: dict[str, list[tuple[dict[str, str], float]]]) -> Metric:
    family = HistogramMetricFamily(PREFIX + ACTIONS, "How long actions on containers took.", labels=["action", "outcome"])
    counted = {(words["action"], words["outcome"], words["le"]): value for words, value in rows[f"{ACTIONS}_bucket"]}
    for words, total in rows[f"{ACTIONS}_sum"]:
        action, outcome = words["action"], words["outcome"]
        so_far, buckets = 0.0, []
        for bound in BUCKETS:
            so_far += counted.get((action, outcome, str(bound)), 0)
            buckets.append(("+Inf" if bound == float("inf") else str(bound), so_far))
        family.add_metric([action, outcome], buckets=buckets, sum_value=total)
    return family


def _queue(now: datetime) -> Iterator[Metric]:
    """A task bears when it was put there, and while one is at work on it when it would be free again, which is later than now."""
    found = OrmQ.objects.filter(lock__lte=now).aggregate(waiting=Count("pk"), oldest=Min("lock"))
    lag = (now - found["oldest"]).total_seconds() if found["oldest"] else 0.0
    yield _gauge("queue_waiting_tasks", "Tasks that no worker has taken yet.", [], [([], found["waiting"])])
    yield _gauge("queue_lag_seconds", "How long the oldest of them has waited.", [], [([], lag)])


def _by_state(name: str, about: str, model: type[CommandRun | Delivery], states: type[RunState | DeliveryState]) -> Metric:
    found = dict(model.objects.order_by().values_list("state").annotate(n=Count("pk")))
    return _gauge(name, about, ["state"], (([str(state)], found.get(str(state), 0)) for state in states))


def _heartbeats(now: datetime) -> Metric:
    ages = (([row.role], (now - (row.beat_at or row.started_at)).total_seconds()) for row in Heartbeat.objects.all())
    return _gauge("heartbeat_age_seconds", "Seconds since a process of the hub gave its last sign of life.", ["role"], ages)
