"""100 ensures make one container; a paused holder that was overtaken does nothing more."""

import json
import os
import signal
import subprocess
import sys

import pytest

from tests.support import wait_until

pytestmark = pytest.mark.live

ENSURE = """
from concurrent.futures import ThreadPoolExecutor
from django.db import connection
def one(_):
    try:
        made = lifecycle.ensure_container(project=Project.objects.get(slug="demo"), actor=ACTOR)
        return [made.container_id, made.status]
    finally:
        connection.close()
with ThreadPoolExecutor({threads}) as pool:
    answer(list(pool.map(one, range({threads}))))
"""


def answers_of(processes: "list[subprocess.Popen[str]]") -> list[list[str]]:
    found = []
    for process in processes:
        out, err = process.communicate(timeout=240)
        assert process.returncode == 0, err[-3000:]
        found += json.loads(out.split("ANSWER ", 1)[1])
    return found


def test_a_hundred_threads_make_one_container_and_get_equal_answers(sandbox):
    sandbox.add_project("demo")
    answers = sandbox.python(ENSURE.format(threads=100))
    assert len(answers) == 100
    assert {tuple(one) for one in answers} == {(sandbox.containers()[0].id[:12], "running")}
    assert len(sandbox.containers()) == 1
    assert sandbox.python("answer(Event.objects.filter(kind='container.created').count())") == 1


def test_a_hundred_ensures_over_processes_make_one_container_and_get_equal_answers(sandbox):
    sandbox.add_project("demo")
    processes = [sandbox.start(ENSURE.format(threads=10)) for _ in range(10)]
    answers = answers_of(processes)
    assert len(answers) == 100
    assert {tuple(one) for one in answers} == {(sandbox.containers()[0].id[:12], "running")}
    assert len(sandbox.containers()) == 1


PAUSED_HOLDER = """
from projects.services.engines import current_engine, use_engine
from projects.services.errors import ClaimLost
real = current_engine()
class Loud:
    '''Prints each call to the Engine before it is made.'''
    def __init__(self, inner, path=""): self.inner, self.path = inner, path
    def __getattr__(self, name):
        value = getattr(self.inner, name)
        if not callable(value) and not name.startswith("_"): return Loud(value, name + ".")
        def call(*args, **kwargs):
            print("CALL " + self.path + name, flush=True)
            if name == "create": sys.stdin.readline()  # held up here until the test says go on
            return value(*args, **kwargs)
        return call
use_engine(Loud(real))
try:
    made = lifecycle.ensure_container(project=Project.objects.get(slug="demo"), actor=ACTOR)
    answer(["made", made.container_id])
except ClaimLost as error:
    answer(["lost", str(error)])
"""


def test_a_paused_holder_does_no_further_engine_call_after_its_claim_was_taken_over(sandbox):
    """SIGSTOP in the middle of a call; its claim is aged by two minutes, as if the pause had lasted that long."""
    sandbox.add_project("demo")
    holder = subprocess.Popen(
        [sys.executable, "-c", sandbox.script(PAUSED_HOLDER)],
        env=sandbox.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    try:
        while "create" not in (line := holder.stdout.readline()):
            assert line, holder.stderr.read() if holder.stderr else ""
        os.kill(holder.pid, signal.SIGSTOP)
        sandbox.python(
            "from django.utils import timezone; from datetime import timedelta\n"
            "Project.objects.update(claimed_at=timezone.now() - timedelta(minutes=2))"
        )
        made = sandbox.python(ENSURE.format(threads=1))
        os.kill(holder.pid, signal.SIGCONT)
        out, err = holder.communicate("go on\n", timeout=60)
    finally:
        holder.kill()
    assert holder.returncode == 0, err
    assert "CALL" not in out, "the overtaken holder went on"
    assert json.loads(out.split("ANSWER ")[1])[0] == "lost"
    assert [container.id[:12] for container in sandbox.containers()] == [made[0][0]]
    wait_until(lambda: sandbox.containers()[0].status == "running", timeout=5)
