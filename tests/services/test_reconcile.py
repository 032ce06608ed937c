"""What the Engine shows against the rows: outside changes are told as such, an outage is none."""

from datetime import timedelta

import pytest

from projects.engine.base import EngineEvent
from projects.engine.errors import EngineUnreachable
from projects.models import Container, Event
from projects.services.lifecycle import refresh_container, restart_container, stop_container
from projects.services.reconcile import observe_event, reconcile
from projects.services.record import WATCHER
from projects.states import Status
from tests.sweep.conftest import PEOPLE, fake_engine, fleet

__all__ = ["fake_engine", "fleet"]

NAME = "claude-dev-web"


@pytest.fixture
def web(fleet):
    project = fleet.project()
    reconcile(actor=WATCHER)
    return project


def told(after: int = 0) -> list[tuple[str, str]]:
    return list(Event.objects.filter(id__gt=after).order_by("id").values_list("kind", "actor_name"))


def last() -> int:
    return Event.objects.latest("id").pk


def lose_engine(fleet) -> None:
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        reconcile(actor=WATCHER)
    fleet.engine.down = False


def hint(fleet, kind: str) -> None:
    box = fleet.engine.box(NAME)
    observe_event(EngineEvent(kind, docker_id=box.docker_id, attributes=dict(box.spec.labels)))


def test_a_restart_from_outside_is_told_once_though_the_status_is_what_it_was(fleet, web):
    before = last()
    fleet.engine.containers.restart(NAME)
    hint(fleet, "restart")
    hint(fleet, "start")
    reconcile(actor=WATCHER)
    assert told(before) == [("container.restarted", "outside")]


@pytest.mark.parametrize("action", [restart_container, refresh_container])
def test_what_the_hub_itself_does_is_not_told_as_anothers(fleet, web, action):
    action(project=web, actor=PEOPLE)
    before = last()
    hint(fleet, "start")
    reconcile(actor=WATCHER)
    assert told(before) == []


def test_a_container_that_came_back_was_not_restarted_from_outside(fleet, web):
    old = web.docker_id

    def fail(name, args):
        if name == "containers.start" and args["ref"] != old:
            fleet.engine.before_call = None
            raise EngineUnreachable("It breaks, on purpose.")

    fleet.engine.before_call = fail
    with pytest.raises(EngineUnreachable):
        refresh_container(project=web, actor=PEOPLE)
    before = last()
    hint(fleet, "start")
    reconcile(actor=WATCHER)
    assert told(before) == []
    web.refresh_from_db()
    assert (web.status, web.docker_id) == (Status.RUNNING, old)


def test_an_outage_is_no_change_from_outside(fleet, web):
    gone, stopped = fleet.project("gone"), fleet.project("stopped")
    fleet.engine.remove_outside("claude-dev-gone")
    stop_container(project=stopped, actor=PEOPLE)
    reconcile(actor=WATCHER)
    before = last()
    lose_engine(fleet)
    for project in (web, gone, stopped):
        project.refresh_from_db()
        assert project.status == Status.UNKNOWN
    reconcile(actor=WATCHER)
    assert told(before)[:2] == [("engine.lost", "watcher"), ("engine.back", "watcher")]
    assert sorted(told(before)[2:]) == [("container.exited", "watcher"), ("container.missing", "watcher"), ("container.running", "watcher")]


def test_a_stop_during_an_outage_is_one_from_outside(fleet, web):
    before = last()
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        reconcile(actor=WATCHER)
    fleet.engine.crash(NAME, exit_code=143)
    fleet.engine.down = False
    reconcile(actor=WATCHER)
    assert told(before)[2:] == [("container.exited", "outside")]


def test_an_engine_that_was_restarted_is_told_as_such(fleet, web):
    other = fleet.project("other")
    before = last()
    lose_engine(fleet)
    for project in (web, other):
        fleet.engine.box(f"claude-dev-{project.slug}").started_at += timedelta(minutes=5)
    reconcile(actor=WATCHER)
    assert told(before) == [
        ("engine.lost", "watcher"),
        ("engine.back", "watcher"),
        ("container.restarted", "outside"),
        ("container.restarted", "outside"),
        ("engine.restarted", "outside"),
    ]
    assert sorted(Event.objects.get(kind="engine.restarted").details["projects"]) == ["other", "web"]


def test_a_renamed_container_is_not_said_to_be_removed_and_is_ours_again_under_its_name(fleet, web):
    fleet.engine.box(NAME).name = "mine"
    reconcile(actor=WATCHER)
    event = Event.objects.get(kind="container.missing")
    assert (event.actor_name, "was renamed to mine" in event.message) == ("outside", True)
    fleet.engine.box("mine").name = NAME
    reconcile(actor=WATCHER)
    web.refresh_from_db()
    assert web.status == Status.RUNNING
    assert Container.objects.get(project=web).removed_at is None


def test_a_removed_container_ends_its_row(fleet, web):
    fleet.engine.remove_outside(NAME)
    reconcile(actor=WATCHER)
    assert Container.objects.get(project=web).end_reason == "Removed from outside."


def test_out_of_memory_is_told_and_not_each_time(fleet, web):
    before = last()
    for _ in range(3):
        hint(fleet, "oom")
    assert told(before) == [("container.oom", "outside")]
