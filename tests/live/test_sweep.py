"""The sweep on the real Engine. Time is injected: the sweeps of an hour take a second."""

import json
from collections.abc import Iterator
from typing import Any

import docker
import pytest

from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = pytest.mark.live

SWEEP = """
from datetime import timedelta
from django.utils import timezone
from projects.engine.base import HealthCheck
from projects.services import spec
from projects.services.engines import current_engine
from projects.services.gate import prove_refreshes
from projects.services.sweep import carry_out, measure_layers, sweep
from projects.services.usage import get_stats
from tests.support import wait_until
BEGAN = timezone.now()
def project(slug): return Project.objects.get(slug=slug)
def info(slug): return current_engine().containers.inspect(f"{settings.CONTAINERHUB.name_prefix}-{slug}")
def at(minutes, twice=False):
    '''The sweep so long after the beginning, and what it hands over: every task delivered twice if need be.'''
    now, handed = BEGAN + timedelta(minutes=minutes), []
    sweep(now=now, task=lambda *what: handed.append(what))
    for name, *arguments in handed * (1 + twice):
        carry_out(*arguments, now=now) if name == "carry_out" else measure_layers(now=now)
    wait_until(lambda: prove_refreshes(actor=ACTOR) or not Container.objects.filter(prove_until__isnull=False).exists(), 60)
def story(slug): return [list(row) for row in Decision.objects.filter(project__slug=slug).order_by("id").values_list("verdict", "cause")]
def kinds(slug, *prefixes):
    found = Event.objects.filter(project_slug=slug).order_by("id").values_list("kind", flat=True)
    return [kind for kind in found if kind.startswith(prefixes)]
"""


@pytest.fixture(scope="module")
def box(tmp_path_factory) -> Iterator[Sandbox]:
    box = Sandbox(tmp_path_factory.mktemp("sweep"), CONTAINERHUB_REFRESH_DISK_PERCENT="100")
    box.migrate()
    yield box
    box.clean()


def add(box: Sandbox, slug: str, **fields: Any) -> None:
    box.add_project(slug, **fields)
    box.python(f"lifecycle.ensure_container(project=Project.objects.get(slug={slug!r}), actor=ACTOR)")


def forget(box: Sandbox, slug: str) -> None:
    """So that the next test's fleet is its own."""
    box.python(f"lifecycle.remove_project(project=Project.objects.get(slug={slug!r}), actor=ACTOR)")


def container(box: Sandbox, slug: str):
    return docker.from_env().containers.get(f"{box.prefix}-{slug}")


def test_page_cache_at_the_limit_causes_no_refresh(box):
    add(box, "cache", memory_limit_mb=64)
    with open(box.roots / "cache" / "big", "wb") as file:
        file.truncate(200 * 1024**2)
    assert container(box, "cache").exec_run(["sh", "-c", "cat big > /dev/null"], user="claude").exit_code == 0
    memory = container(box, "cache").stats(stream=False)["memory_stats"]
    assert memory["usage"] / memory["limit"] > 0.9, "the page cache did not fill the limit"
    told = box.python(
        SWEEP + "for minute in (0, 6, 12): at(minute)\nanswer([story('cache'), get_stats(project=project('cache')).memory_percent])"
    )
    assert told[0] == [["keep", ""]]
    assert told[1] < 50
    forget(box, "cache")


def test_a_memory_hog_is_refreshed_after_two_breaches_and_left_to_people_when_that_did_not_help(box):
    add(box, "hog", memory_limit_mb=160)
    before = container(box, "hog")
    hog = "import time; kept = b'x' * (150 * 1024**2); time.sleep(3600)"
    before.exec_run(["python3", "-c", hog], detach=True, user="claude")
    full = "wait_until(lambda: (get_stats(project=project('hog')).memory_percent or 0) > 90, 60)\n"
    (box.roots / "hog" / "work").write_text("kept")
    told = box.python(
        SWEEP
        + full
        + "for minute in (0, 3, 6, 8): at(minute)\n"
        + "answer([story('hog'), kinds('hog', 'health.', 'container.refreshed', 'container.proven')])"
    )
    assert told[0] == [["wait", "second_reading"], ["refresh", ""], ["keep", ""]]
    assert told[1] == ["health.refresh", "container.refreshed", "container.proven"]
    assert container(box, "hog").id != before.id
    assert (box.roots / "hog" / "work").read_text() == "kept"
    container(box, "hog").exec_run(["python3", "-c", hog], detach=True, user="claude")
    told = box.python(SWEEP + full + "for minute in (12, 13, 30): at(minute)\nanswer([story('hog')[-1], kinds('hog', 'health.')])")
    assert told == [["hold", "no_help"], ["health.refresh", "health.hold"]]
    forget(box, "hog")


def test_at_72_hours_it_waits_while_a_command_runs_and_is_refreshed_once_after_it_though_all_is_delivered_twice(box):
    add(box, "old")
    before = container(box, "old").id
    told = box.python(
        SWEEP
        + "from projects.services.commands import kill_command, start_command\n"
        + "run = start_command(project=project('old'), actor=ACTOR, command='sleep 3600', timeout_seconds=4000)\n"
        + "at(73 * 60)\nat(73 * 60 + 1)\nwaiting = story('old')\n"
        + "kill_command(run=run, actor=ACTOR)\n"
        + "wait_until(lambda: CommandRun.objects.get(pk=run.pk).finished_at is not None, 60)\n"
        + "at(73 * 60 + 2, twice=True)\nat(73 * 60 + 2, twice=True)\n"
        + "answer([waiting, story('old'), Event.objects.filter(kind='container.refreshed', project_slug='old').count()])"
    )
    assert told == [[["wait", "busy"]], [["wait", "busy"], ["refresh", ""]], 1]
    assert container(box, "old").id != before
    forget(box, "old")


def test_what_runs_in_front_of_a_terminals_shell_makes_it_wait_and_an_idle_shell_does_not(box):
    add(box, "term")
    before = container(box, "term").id
    told = box.python(
        SWEEP
        + "from projects.services.terminals.tmux import tmux\n"
        + "from projects.services.terminals.work import foreground_work\n"
        + "from projects.services.terminals import make_session\n"
        + "engine, ref = current_engine(), info('term').docker_id\n"
        + "make_session(project=project('term'), name='main', actor=ACTOR)\n"
        + "tmux(engine, ref, 'send-keys', '-t', 'main', 'sleep 3600', 'Enter')\n"
        + "wait_until(lambda: 'sleep' in foreground_work(engine, ref), 60)\nat(80 * 60)\n"
        + "waiting = Decision.objects.get(project__slug='term').reason\n"
        + "tmux(engine, ref, 'send-keys', '-t', 'main', 'C-c')\n"
        + "wait_until(lambda: not foreground_work(engine, ref), 60)\nat(80 * 60 + 1)\nanswer([waiting, story('term')])"
    )
    assert told[0].endswith("it waits: the terminal main runs sleep.")
    assert told[1] == [["wait", "busy"], ["refresh", ""]]
    assert container(box, "term").id != before
    forget(box, "term")


def test_two_workers_with_the_same_tick_sweep_once_and_refresh_once(box):
    add(box, "twice")
    code = (
        SWEEP
        + "handed = []\nnow = timezone.datetime.fromisoformat(os.environ['AT'])\n"
        + "report = sweep(now=now, task=lambda *what: handed.append(what))\n"
        + "wait_until(lambda: Decision.objects.filter(verdict='refresh').exists(), 60)\n"
        + "answer([report is not None, carry_out(Decision.objects.get(verdict='refresh', project__slug='twice').pk, now=now)])"
    )
    moment = box.python(
        "from django.utils import timezone; from datetime import timedelta; answer((timezone.now() + timedelta(hours=90)).isoformat())"
    )
    box.python("Decision.objects.all().delete()")
    workers = [box.start(code, AT=moment) for _ in range(2)]
    answers = []
    for worker in workers:
        out, err = worker.communicate(timeout=120)
        assert worker.returncode == 0, err[-3000:]
        answers.append(json.loads(out.split("ANSWER ", 1)[1]))
    assert sorted(swept for swept, _ in answers) == [False, True]
    assert sorted(done for _, done in answers) == [False, True]
    assert box.python("answer(Project.objects.get(slug='twice').generation)") == 2
    forget(box, "twice")


QUICK = "spec.HealthCheck = lambda **given: HealthCheck(**{**given, 'interval_seconds': 1, 'timeout_seconds': 5})\n"


def test_a_container_made_unhealthy_for_real_is_restarted_backing_off_then_refreshed_then_held(box):
    box.environment["CONTAINERHUB_START_PERIOD_SECONDS"] = "1"
    box.add_project("sick")
    box.python(SWEEP + QUICK + "lifecycle.ensure_container(project=project('sick'), actor=ACTOR)")
    workspace = box.roots / "sick"
    wait_until(lambda: container(box, "sick").attrs["State"]["Health"]["Status"] == "healthy", 60)
    before = container(box, "sick").id
    workspace.chmod(0)  # nobody can enter it, in whatever container
    try:
        told = box.python(
            SWEEP
            + QUICK
            + "def sick(): wait_until(lambda: info('sick').health == 'unhealthy' and info('sick').failing_streak >= 3, 60)\n"
            + "for minute in (0, 0.5, 1, 2.5, 3, 6.5, 7, 20):\n    sick()\n    at(minute)\n"
            + "answer([story('sick'), kinds('sick', 'health.', 'container.re', 'container.rolled')])"
        )
    finally:
        workspace.chmod(0o755)
    steps = [["restart", ""], ["wait", "back_off"]]
    assert told[0] == [*steps, *steps, *steps, ["refresh", ""], ["hold", "no_help"]]
    assert told[1] == [
        *["health.restart", "container.restarted"] * 3,
        "health.refresh",
        "container.refreshed",
        "container.rolled_back",
        "health.hold",
    ]
    assert container(box, "sick").id == before  # the new one failed its health check, so the old one came back
    forget(box, "sick")
