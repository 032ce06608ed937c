"""A workspace that was swapped for a link is mounted by no call: the Engine would look it up anew at each start."""

import pytest

pytestmark = pytest.mark.live

REFUSED = """
from projects.services.errors import HubError
def refusal(call):
    try:
        call(project=Project.objects.get(), actor=ACTOR)
    except HubError as error:
        return type(error).__name__ + ": " + str(error)
    return "not refused"
answer([refusal(call) for call in (
    lifecycle.ensure_container, lifecycle.start_container, lifecycle.restart_container, lifecycle.refresh_container)])
"""


@pytest.mark.parametrize("target", ["/", "/etc", "elsewhere"])
def test_a_workspace_swapped_for_a_link_is_refused_at_every_start(sandbox, target):
    sandbox.add_project("demo")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    sandbox.python("lifecycle.stop_container(project=Project.objects.get(), actor=ACTOR)")
    (sandbox.roots / "elsewhere").mkdir()
    (sandbox.roots / "demo").rename(sandbox.roots / "aside")
    (sandbox.roots / "demo").symlink_to(target if target.startswith("/") else sandbox.roots / target)
    told = sandbox.python(REFUSED)
    assert [sentence.split(":")[0] for sentence in told] == ["Unready"] * 4, told
    assert [container.status for container in sandbox.containers()] == ["exited"]
    (sandbox.roots / "demo").unlink()
    (sandbox.roots / "aside").rename(sandbox.roots / "demo")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    assert [container.status for container in sandbox.containers()] == ["running"]


def test_a_running_container_is_stopped_when_its_workspace_became_a_link(sandbox):
    """An Engine that restarts would mount what the link leads to."""
    sandbox.add_project("demo")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)")
    (sandbox.roots / "demo").rename(sandbox.roots / "aside")
    (sandbox.roots / "demo").symlink_to("/")
    refused = sandbox.python(REFUSED)
    assert [sentence.split(":")[0] for sentence in refused[:1]] == ["Unready"], refused
    sandbox.python("from projects.services.reconcile import reconcile; reconcile(actor=ACTOR)")
    assert [container.status for container in sandbox.containers()] == ["exited"]
    assert sandbox.python("answer(Event.objects.filter(kind='workspace.swapped').count())") == 1
