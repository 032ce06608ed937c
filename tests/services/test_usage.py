import os
from datetime import timedelta

import pytest
from django.utils import timezone

from projects.engine.base import Usage
from projects.engine.errors import EngineUnreachable
from projects.models import Project
from projects.services import usage
from projects.services.engines import use_engine
from projects.services.errors import ContainerNotRunning
from tests.services.scripted import MB, ScriptedEngine, container_info, use_scripted

USED = Usage("c" * 64, timezone.now(), 12.3456, 512 * MB, 2048 * MB, 9, 3 * MB, MB // 2)


@pytest.fixture
def project(db, tmp_path):
    return Project.objects.create(slug="web", name="web", path=str(tmp_path))


@pytest.fixture
def engine(project):
    scripted = ScriptedEngine(project)
    scripted.usage_ = USED
    use_scripted(scripted)
    yield scripted
    use_engine(None)


def test_the_stats_are_those_of_the_api(project, engine):
    stats = usage.get_stats(project=project)
    disk = os.statvfs(project.path)
    used = disk.f_blocks - disk.f_bfree
    assert stats.disk_usage_percent == pytest.approx(100 * used / (used + disk.f_bavail), abs=0.5)
    assert vars(stats) == {
        "status": "running",
        "age_hours": 2.0,
        "cpu_percent": 12.35,
        "memory_usage_mb": 512.0,
        "memory_limit_mb": 2048.0,
        "memory_percent": 25.0,
        "disk_usage_percent": stats.disk_usage_percent,
        "pids": 9,
        "network_rx_mb": 3.0,
        "network_tx_mb": 0.5,
    }


def test_what_is_not_known_is_none_and_never_zero(project, engine, tmp_path):
    engine.usage_ = Usage("c" * 64, timezone.now(), None, 0, None, 1, 0, 0)
    project.path = str(tmp_path / "gone")
    engine.info_ = container_info(project)
    stats = usage.get_stats(project=project)
    assert (stats.cpu_percent, stats.memory_limit_mb, stats.memory_percent, stats.disk_usage_percent) == (None, None, None, None)


def test_a_remote_engine_is_asked_with_df_in_the_container(project, engine):
    engine.local = False
    engine.answers = [b"Filesystem 1-blocks Used Available Capacity Mounted on\n/dev/sda1 1000 300 600 34% /workspace\n"]
    assert usage.get_stats(project=project).disk_usage_percent == 33.33
    engine.answers = [b"df: no such thing\n"]
    assert usage.get_stats(project=project).disk_usage_percent is None
    engine.answers = [EngineUnreachable("The Engine is away.")]
    assert usage.get_stats(project=project).disk_usage_percent is None


def test_where_the_engine_stands_is_asked_once(project, engine):
    usage.get_stats(project=project)
    usage.get_stats(project=project)
    assert engine.info_calls == 1


def test_a_container_that_does_not_run_has_no_stats(project, engine):
    engine.usage_ = None  # stopped between two calls
    with pytest.raises(ContainerNotRunning):
        usage.get_stats(project=project)
    engine.info_ = None
    with pytest.raises(ContainerNotRunning):
        usage.get_stats(project=project)


def test_the_age_counts_from_the_creation(project, engine):
    engine.info_ = container_info(project, created_at=timezone.now() - timedelta(hours=73))
    assert usage.get_stats(project=project).age_hours == pytest.approx(73, abs=0.02)
