"""Readings as rows: raw for a day, averages of five minutes for two weeks."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Avg, Max, QuerySet

from projects.models import Sample
from projects.services.sweep.measuring import Reading, Readings

RAW_KEPT = timedelta(hours=24)
AVERAGES_KEPT = timedelta(days=14)
SPAN_SECONDS = 300
RANGES = {
    "15m": (timedelta(minutes=15), 0),
    "1h": (timedelta(hours=1), 0),
    "24h": (timedelta(hours=24), SPAN_SECONDS),
    "14d": (timedelta(days=14), SPAN_SECONDS),
}
"""How far back, and the span of what is shown; 0 is every reading."""
_MB = 1024 * 1024
_AVERAGED = (
    "cpu_percent",
    "cpu_seconds",
    "memory_mb",
    "memory_percent",
    "disk_percent",
    "layer_mb",
    "pids",
    "network_rx_mb",
    "network_tx_mb",
)


def store(readings: Readings, layers: dict[int, float | None], now: datetime) -> int:
    """One row for each container that gave its usage; how many."""
    made = [sample for pk, reading in readings.of.items() if (sample := _sample(pk, reading, layers.get(pk), now)) is not None]
    Sample.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    return len(made)


def memory_percent(reading: Reading) -> float | None:
    """Without the page cache, and only against a limit of its own."""
    usage = reading.usage
    return round(100 * usage.memory_bytes / usage.memory_limit_bytes, 2) if usage and usage.memory_limit_bytes else None


def samples_of(project_id: int, *, name: str, now: datetime) -> QuerySet[Sample]:
    """The samples of a range of RANGES, oldest first."""
    back, span = RANGES[name]
    return Sample.objects.filter(project=project_id, span_seconds=span, at__gt=now - back, at__lte=now).order_by("at")


def roll_up(now: datetime) -> int:
    """Averages of every whole span that has none yet; how many rows. Asked again it makes none twice."""
    end = _span_begin(now)
    last = Sample.objects.filter(span_seconds=SPAN_SECONDS).aggregate(last=Max("at"))["last"]
    begin = max(last + timedelta(seconds=SPAN_SECONDS) if last else now - RAW_KEPT, _span_begin(now - RAW_KEPT))
    if begin >= end:
        return 0
    raw = Sample.objects.filter(span_seconds=0, at__gte=begin, at__lt=end)
    first = raw.order_by("at").values_list("at", flat=True).first()
    made: list[Sample] = []
    at = _span_begin(first) if first else end
    while at < end:
        made += _averages(raw.filter(at__gte=at, at__lt=at + timedelta(seconds=SPAN_SECONDS)), at)
        at += timedelta(seconds=SPAN_SECONDS)
    Sample.objects.bulk_create(made, ignore_conflicts=True, batch_size=500)
    return len(made)


def prune(now: datetime) -> int:
    raw, _ = Sample.objects.filter(span_seconds=0, at__lt=now - RAW_KEPT).delete()
    averages, _ = Sample.objects.filter(span_seconds=SPAN_SECONDS, at__lt=now - AVERAGES_KEPT).delete()
    return raw + averages


def _averages(rows: QuerySet[Sample], at: datetime) -> Iterable[Sample]:
    means = {f"mean_{name}": Avg(name) for name in _AVERAGED}
    found: QuerySet[Any, Any] = rows.order_by().values("project_id")
    for row in found.annotate(**means, of=Max("docker_id")):
        values = {name: row[f"mean_{name}"] for name in _AVERAGED}
        values["pids"] = round(values["pids"])
        yield Sample(project_id=row["project_id"], at=at, span_seconds=SPAN_SECONDS, docker_id=row["of"], **values)


def _span_begin(at: datetime) -> datetime:
    return datetime.fromtimestamp(at.timestamp() // SPAN_SECONDS * SPAN_SECONDS, UTC)


def _sample(pk: int, reading: Reading, layer_mb: float | None, now: datetime) -> Sample | None:
    usage = reading.usage
    if usage is None:
        return None
    return Sample(
        project_id=pk,
        at=now,
        docker_id=usage.docker_id[:12],
        cpu_percent=None if usage.cpu_percent is None else round(usage.cpu_percent, 2),
        cpu_seconds=usage.cpu_seconds,
        memory_mb=round(usage.memory_bytes / _MB, 2),
        memory_percent=memory_percent(reading),
        disk_percent=reading.workspace_percent,
        layer_mb=layer_mb,
        pids=usage.pids,
        network_rx_mb=round(usage.network_rx_bytes / _MB, 3),
        network_tx_mb=round(usage.network_tx_bytes / _MB, 3),
    )
