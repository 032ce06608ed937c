"""A refreshed container is proven by its health check, or the old one comes back."""

import pytest

pytestmark = pytest.mark.live

ENSURE = "lifecycle.ensure_container(project=Project.objects.get(slug='demo'), actor=ACTOR)\n"
REFRESH = "lifecycle.refresh_container(project=Project.objects.get(slug='demo'), actor=ACTOR)\n"
PROVE = "from projects.services.gate import prove_refreshes; answer(prove_refreshes(actor=ACTOR))\n"


def names(sandbox) -> list[str]:
    return [f"{container.name.removeprefix(sandbox.prefix)} {container.status}" for container in sandbox.containers()]


def test_a_refresh_keeps_workspace_and_config_and_the_old_container_until_it_is_proven(sandbox):
    sandbox.add_project("demo")
    sandbox.python(ENSURE)
    before = sandbox.containers()[0]
    assert before.exec_run(["sh", "-c", "echo kept > /workspace/w; echo kept > ~/.claude/c; echo lost > ~/l"], user="claude").exit_code == 0
    sandbox.python(REFRESH)
    assert names(sandbox) == ["-demo running", "-demo.old-1 exited"]
    after = sandbox.containers()[0]
    assert after.id != before.id
    assert after.exec_run(["cat", "/workspace/w", "/home/claude/.claude/c"]).output == b"kept\nkept\n"
    assert after.exec_run(["test", "-e", "/home/claude/l"]).exit_code == 1
    assert sandbox.python("from projects.services.reconcile import count_active; answer(count_active())") == 1
    assert sandbox.python(PROVE) == 1
    assert names(sandbox) == ["-demo running"]
    kinds = sandbox.python("answer(list(Event.objects.order_by('id').values_list('kind', flat=True)))")
    assert kinds[-4:] == ["container.created", "container.started", "container.refreshed", "container.proven"]


def test_the_old_container_comes_back_when_the_new_one_fails_its_health_check(sandbox):
    sandbox.environment["CONTAINERHUB_START_PERIOD_SECONDS"] = "1"
    sandbox.add_project("demo")
    sandbox.python(ENSURE)
    before = sandbox.containers()[0]
    sandbox.python(REFRESH)
    new = sandbox.containers()[0]
    broken = ["sh", "-c", "printf '#!/bin/sh\\necho broken on purpose\\nexit 1\\n' > /usr/local/bin/healthcheck"]
    assert new.exec_run(broken, user="root").exit_code == 0
    decided = sandbox.python(
        "import time\nfrom projects.services.gate import prove_refreshes\n"
        "deadline = time.monotonic() + 30\ntotal = 0\n"
        "while not total and time.monotonic() < deadline: total = prove_refreshes(actor=ACTOR)\n"
        "answer(total)"
    )
    assert decided == 1
    assert names(sandbox) == ["-demo running"]
    assert sandbox.containers()[0].id == before.id
    told = sandbox.python("answer(Event.objects.filter(kind='container.rolled_back').get().message)")
    assert "broken on purpose" in told
    assert sandbox.python("answer(Project.objects.get().docker_id)") == before.id


def test_the_old_container_comes_back_at_once_when_the_new_one_cannot_start(sandbox):
    sandbox.add_project("demo")
    sandbox.python(ENSURE)
    before = sandbox.containers()[0]
    failed = sandbox.python(
        "from projects.services.engines import current_engine\n"
        "from projects.engine.errors import Refused\n"
        "containers = current_engine().containers\nstart = type(containers).start\n"
        f"def refuse(self, ref):\n    if ref != {before.id!r}: raise Refused('It cannot start, on purpose.')\n    return start(self, ref)\n"
        "type(containers).start = refuse\n"
        "try:\n    " + REFRESH + "except Refused as error:\n    answer(str(error))"
    )
    assert failed == "It cannot start, on purpose."
    assert names(sandbox) == ["-demo running"]
    assert sandbox.containers()[0].id == before.id
    assert sandbox.python("p = Project.objects.get(); answer([p.docker_id, p.status, p.pending_action])") == [before.id, "running", ""]
