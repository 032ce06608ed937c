"""Readings as rows: averages, and what is thrown away."""

from datetime import UTC, datetime, timedelta

import pytest

from projects.models import Project, Sample
from projects.services.sweep import samples

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def project(db, tmp_path):
    return Project.objects.create(slug="web", name="web", path=str(tmp_path))


def add(project, minute: float, **fields) -> None:
    given = {"docker_id": "c", "memory_mb": 1, "pids": 2, "network_rx_mb": 0, "network_tx_mb": 0, **fields}
    Sample.objects.create(project=project, at=NOON + minute * MINUTE, **given)


def averages() -> list[tuple[float, float, float | None]]:
    rows = Sample.objects.filter(span_seconds=300).order_by("at")
    return [((row.at - NOON) / MINUTE, row.memory_mb, row.cpu_percent) for row in rows]


def test_each_whole_span_of_five_minutes_gets_one_average(project):
    for minute in range(12):
        add(project, minute, memory_mb=minute)
    assert samples.roll_up(NOON + 11 * MINUTE) == 2
    assert averages() == [(0, 2, None), (5, 7, None)]
    assert samples.roll_up(NOON + 11 * MINUTE) == 0
    add(project, 12)
    samples.roll_up(NOON + 15 * MINUTE)
    assert [minute for minute, *_ in averages()] == [0, 5, 10]


def test_what_is_unknown_counts_for_no_average(project):
    for minute, percent in enumerate([None, 10, 20]):
        add(project, minute, cpu_percent=percent)
    samples.roll_up(NOON + 5 * MINUTE)
    assert averages() == [(0, 1, 15)]


def test_a_gap_leaves_no_averages_of_nothing(project):
    add(project, 0)
    add(project, 600)
    assert samples.roll_up(NOON + 605 * MINUTE) == 2
    assert [minute for minute, *_ in averages()] == [0, 600]


def test_raw_readings_are_kept_a_day_and_averages_two_weeks(project):
    for minute in (-1, 1):
        add(project, minute)
        add(project, minute, span_seconds=300)
    assert samples.prune(NOON + timedelta(hours=24)) == 1
    assert samples.prune(NOON + timedelta(days=14)) == 2
    assert Sample.objects.count() == 1


def test_a_range_is_raw_or_of_averages_and_oldest_first(project):
    for minute in (-70, -50, -10, -5):
        add(project, minute)
        add(project, minute, span_seconds=300)
    shown = {name: [(row.at - NOON) / MINUTE for row in samples.samples_of(project.pk, name=name, now=NOON)] for name in samples.RANGES}
    assert shown == {"15m": [-10, -5], "1h": [-50, -10, -5], "24h": [-70, -50, -10, -5], "14d": [-70, -50, -10, -5]}
    assert {row.span_seconds for row in samples.samples_of(project.pk, name="24h", now=NOON)} == {300}
