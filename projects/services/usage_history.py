"""What a container used over a while, as a text table says it: each reading now, on average, and at its highest."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from projects.models import Project, Sample
from projects.services.commands.start import running_container
from projects.services.engines import current_engine
from projects.services.errors import ContainerNotRunning
from projects.services.sweep.samples import RANGES, samples_of
from projects.services.usage import disk_percent

ROWS = 24
"""Of the table of single values, which stands for the chart where there is none."""
GAP_SPANS = 3
READING_SECONDS = 60
_MB = 1024 * 1024


@dataclass(frozen=True)
class Point:
    """One reading, or the average of several. Rates are since the reading before it; None is unknown, never 0."""

    sample: Sample
    rx_kb: float | None
    tx_kb: float | None


@dataclass(frozen=True)
class Measure:
    """`unit` is "percent", "megabytes" or "rate" (kilobytes a second)."""

    key: str
    title: str
    unit: str
    values: list[float] = field(repr=False)

    @property
    def latest(self) -> float | None:
        return self.values[-1] if self.values else None

    @property
    def average(self) -> float | None:
        return sum(self.values) / len(self.values) if self.values else None

    @property
    def highest(self) -> float | None:
        return max(self.values, default=None)


@dataclass(frozen=True)
class History:
    name: str
    span_seconds: int
    measures: list[Measure]
    points: list[Point] = field(repr=False)

    @property
    def latest(self) -> Sample | None:
        return self.points[-1].sample if self.points else None


@dataclass(frozen=True)
class Reading:
    """Of this moment: `at` in seconds since 1970, `rx` and `tx` totals in kilobytes since the start of container `of`."""

    at: float
    of: str
    cpu: float | None
    memory: float
    rx: float
    tx: float
    disk: float | None
    pids: int


def reading_now(*, project: Project) -> Reading:
    """Raises ContainerNotRunning, ForeignContainer, EngineError."""
    engine = current_engine()
    info = running_container(engine, project)
    usage = engine.stats.usage(info.docker_id)
    if usage is None:
        raise ContainerNotRunning("The project's container is not running; run ensure first.")
    return Reading(
        at=timezone.now().timestamp(),
        of=info.docker_id[:12],
        cpu=usage.cpu_percent,
        memory=usage.memory_bytes / _MB,
        rx=usage.network_rx_bytes / 1024,
        tx=usage.network_tx_bytes / 1024,
        disk=disk_percent(engine, project, info.docker_id),
        pids=usage.pids,
    )


def usage_history(project_id: int, name: str) -> History:
    """Of a range of `RANGES`, or of the last 15 minutes where there is none such; of its points at most ROWS are kept, the newest too."""
    name = name if name in RANGES else "15m"
    points = list(_points(samples_of(project_id, name=name, now=timezone.now()), RANGES[name][1] or READING_SECONDS))
    rows = (
        ("cpu", "CPU", "percent", [point.sample.cpu_percent for point in points]),
        ("memory", "Memory", "megabytes", [point.sample.memory_mb for point in points]),
        ("rx", "Network in", "rate", [point.rx_kb for point in points]),
        ("tx", "Network out", "rate", [point.tx_kb for point in points]),
        ("disk", "Disk of the workspace", "percent", [point.sample.disk_percent for point in points]),
        ("pids", "Processes", "count", [float(point.sample.pids) for point in points]),
    )
    measures = [Measure(key, title, unit, [value for value in values if value is not None]) for key, title, unit, values in rows]
    return History(name, RANGES[name][1], measures, _thinned(points))


def _points(samples: Iterable[Sample], span_seconds: int) -> Iterable[Point]:
    before: Sample | None = None
    for sample in samples:
        seconds = (sample.at - before.at).total_seconds() if before else 0
        if before is None or sample.docker_id != before.docker_id or not 0 < seconds <= GAP_SPANS * span_seconds:
            yield Point(sample, None, None)
        else:
            yield Point(
                sample,
                _rate(before.network_rx_mb, sample.network_rx_mb, seconds),
                _rate(before.network_tx_mb, sample.network_tx_mb, seconds),
            )
        before = sample


def _rate(before_mb: float, now_mb: float, seconds: float) -> float | None:
    """Kilobytes a second; the counter begins anew at a restart."""
    return (now_mb - before_mb) * 1024 / seconds if now_mb >= before_mb else None


def _thinned(points: list[Point]) -> list[Point]:
    """Every so manieth, the newest among them, oldest first."""
    step = max(1, -(-len(points) // ROWS))
    return points[::-1][::step][::-1]
