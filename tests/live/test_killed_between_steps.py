"""The process is killed between any two steps of a use case; the next call finishes the job."""

from typing import NamedTuple

import pytest

pytestmark = pytest.mark.live

KILL_AT = """
import signal
from projects.services import claims
seen = 0
step = claims.Claim.step
def counted(self, call, /, *args, **kwargs):
    global seen
    seen += 1
    if seen == {number}:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, call, *args, **kwargs)
claims.Claim.step = counted
{work}
answer(seen)
"""
AGE_CLAIM = """
from django.utils import timezone; from datetime import timedelta
Project.objects.exclude(pending_action="").update(claimed_at=timezone.now() - timedelta(minutes=2))
"""
ROW = """
p = Project.objects.get()
assert not p.pending_action and not p.claim_token, "the claim was not given back"
answer([p.docker_id, p.status, p.wanted])
"""
ENSURE = "lifecycle.ensure_container(project=Project.objects.get(slug='demo'), actor=ACTOR)"
REFRESH = "lifecycle.refresh_container(project=Project.objects.get(slug='demo'), actor=ACTOR)"
REMOVE = "lifecycle.remove_container(project=Project.objects.get(slug='demo'), actor=ACTOR)"
STOP = "lifecycle.stop_container(project=Project.objects.get(slug='demo'), actor=ACTOR)"


def kill_everywhere(sandbox, *, before: str, work: str, check) -> int:
    """Kill `work` at its first step, its second, … until a run ends by itself; after each, the same call and `check`."""
    number = 0
    while True:
        number += 1
        sandbox.python(before)
        process = sandbox.start(KILL_AT.format(number=number, work=work))
        out, err = process.communicate(timeout=120)
        if process.returncode == 0:
            assert int(out.split("ANSWER ")[1]) == number - 1
            return number - 1
        assert process.returncode == -9, err[-3000:]
        check(Row(*sandbox.python(AGE_CLAIM + work + ROW)))


class Row(NamedTuple):
    """The project's row after the next call."""

    docker_id: str
    status: str
    wanted: str


def one_running(sandbox, row: Row) -> None:
    name = f"{sandbox.prefix}-demo"
    running = [container for container in sandbox.containers() if container.status == "running"]
    assert [container.name for container in running] == [name]
    assert row == (running[0].id, "running", "running")


@pytest.mark.timeout(600)
def test_ensure_killed_anywhere_is_finished_by_the_next(sandbox):
    sandbox.add_project("demo")
    steps = kill_everywhere(sandbox, before=REMOVE, work=ENSURE, check=lambda row: one_running(sandbox, row))
    assert steps >= 6


@pytest.mark.timeout(600)
def test_refresh_killed_anywhere_is_finished_by_the_next(sandbox):
    sandbox.add_project("demo")

    def check(row: Row) -> None:
        one_running(sandbox, row)
        old = [container for container in sandbox.containers() if ".old-" in container.name]
        assert len(old) <= 1
        assert all(container.status == "exited" for container in old)

    steps = kill_everywhere(sandbox, before=REMOVE + "\n" + ENSURE, work=REFRESH, check=check)
    assert steps >= 9


@pytest.mark.timeout(600)
def test_remove_and_stop_killed_anywhere_are_finished_by_the_next(sandbox):
    sandbox.add_project("demo")

    def gone(row: Row) -> None:
        assert sandbox.containers() == []
        assert row == ("", "none", "none")

    def stopped(row: Row) -> None:
        assert [container.status for container in sandbox.containers()] == ["exited"]
        assert row[1:] == ("exited", "none")

    assert kill_everywhere(sandbox, before=ENSURE, work=REMOVE, check=gone) >= 4
    assert kill_everywhere(sandbox, before=ENSURE, work=STOP, check=stopped) >= 3
