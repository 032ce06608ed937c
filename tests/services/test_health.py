from dataclasses import replace

import pytest
from django.conf import settings
from django.utils import timezone

from projects.engine.base import Usage
from projects.models import Project
from projects.services.engines import use_engine
from projects.services.health import HealthAnswer, check_health, judge
from projects.services.usage import Stats
from projects.states import Health
from tests.services.scripted import ScriptedEngine, container_info, use_scripted

FINE = Stats("running", 72.0, 400.0, 900.0, 1000.0, 90.0, 80.0, 5, 0.0, 0.0)


@pytest.fixture
def project(db, tmp_path):
    return Project.objects.create(slug="web", name="web", path=str(tmp_path))


@pytest.mark.parametrize(
    ("stats", "reason"),
    [
        (FINE, "Healthy"),
        (replace(FINE, age_hours=73.0), "Container too old: 73.0 hours"),
        (replace(FINE, disk_usage_percent=81.0), "Disk usage too high: 81%"),
        (replace(FINE, memory_percent=91.0), "Memory usage too high: 91.0%"),
        (replace(FINE, disk_usage_percent=None, memory_percent=None), "Healthy"),
        (replace(FINE, age_hours=73.0, memory_percent=99.0), "Container too old: 73.0 hours"),
    ],
)
def test_the_answer_is_the_plans(project, stats, reason):
    assert judge(container_info(project), stats, settings.CONTAINERHUB) == HealthAnswer(reason == "Healthy", reason)


def test_the_engines_own_verdict_counts_with_its_last_words(project):
    info = container_info(project, health=Health.UNHEALTHY, failing_streak=3, health_output="no space\nleft\n")
    assert judge(info, FINE, settings.CONTAINERHUB) == HealthAnswer(False, "Health check failed 3 times: no space left")


def test_a_container_that_does_not_run_is_not_healthy(project):
    engine = ScriptedEngine(project)
    use_scripted(engine)
    try:
        engine.usage_ = Usage("c" * 64, timezone.now(), 1.0, 1, 100, 1, 0, 0)
        assert check_health(project=project).reason != "Container not running"
        engine.info_ = None
        assert check_health(project=project) == HealthAnswer(False, "Container not running")
    finally:
        use_engine(None)
