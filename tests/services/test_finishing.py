"""What was left half done by a killed process or a lost Engine is finished by the watcher, once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.engine.errors import EngineUnreachable, Refused
from projects.models import Decision, Event, Project
from projects.services.finishing import finish_interrupted
from projects.services.lifecycle import remove_container, restart_container, stop_container
from projects.services.reconcile import reconcile
from projects.services.record import WATCHER
from projects.states import Status, Wanted
from tests.sweep.conftest import MINUTE, PEOPLE, fake_engine, fleet
from tests.sweep.test_sweep import OLD

__all__ = ["fake_engine", "fleet"]

NAME = "claude-dev-web"


def row() -> Project:
    return Project.objects.get(slug="web")


def left_by_the_dead(action: str, *, wanted: str, seconds: int = 61) -> None:
    claimed = timezone.now() - timedelta(seconds=seconds)
    Project.objects.update(pending_action=action, claim_token="a" * 32, claimed_at=claimed, wanted=wanted)


def names(fleet) -> list[tuple[str, str]]:
    return sorted((box.name, str(box.status)) for box in fleet.engine.boxes.values())


@pytest.mark.parametrize("action", ["start", "restart", "refresh"])
def test_what_was_to_run_runs_again(fleet, action):
    fleet.project()
    fleet.engine.containers.stop(NAME)
    left_by_the_dead(action, wanted="running")
    assert finish_interrupted(actor=WATCHER) == 1
    assert (row().status, row().pending_action) == (Status.RUNNING, "")
    assert Event.objects.filter(kind=f"container.{action}_interrupted").count() == 1
    assert finish_interrupted(actor=WATCHER) == 0


@pytest.mark.parametrize(("action", "left"), [("stop", [(NAME, "exited")]), ("remove", [])])
def test_what_was_to_end_ends(fleet, action, left):
    fleet.project()
    left_by_the_dead(action, wanted="none")
    finish_interrupted(actor=WATCHER)
    assert names(fleet) == left
    assert (row().wanted, row().pending_action) == (Wanted.NONE, "")


@pytest.mark.parametrize(("action", "wanted"), [("stop", "running"), ("remove", "running"), ("start", "none")])
def test_what_had_not_begun_is_only_told(fleet, action, wanted):
    fleet.project()
    calls = len(fleet.engine.calls)
    left_by_the_dead(action, wanted=wanted)
    finish_interrupted(actor=WATCHER)
    assert fleet.engine.calls[calls:] == ["ping"]
    assert (row().wanted, row().pending_action, row().claim_token) == (wanted, "", "")
    assert Event.objects.latest("id").message.endswith("nothing was changed by it.")


def test_one_that_somebody_is_at_is_left_to_him(fleet):
    fleet.project()
    left_by_the_dead("refresh", wanted="running", seconds=30)
    assert finish_interrupted(actor=WATCHER) == 0
    assert row().claim_token == "a" * 32


def test_while_the_engine_is_away_nothing_is_touched(fleet):
    fleet.project()
    left_by_the_dead("refresh", wanted="running")
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        finish_interrupted(actor=WATCHER)
    assert row().pending_action == "refresh"


def test_one_that_cannot_be_finished_stops_no_other_and_is_not_tried_for_ever(fleet):
    fleet.project()
    fleet.project("other")
    for name in (NAME, "claude-dev-other"):
        fleet.engine.containers.stop(name)
    left_by_the_dead("refresh", wanted="running")

    def fail(name, args):
        if name == "containers.start" and args["ref"] == row().docker_id:
            raise Refused("It does not start, on purpose.")

    fleet.engine.before_call = fail
    finish_interrupted(actor=WATCHER)
    assert Project.objects.get(slug="other").status == Status.RUNNING
    assert row().last_error == "It does not start, on purpose."
    assert finish_interrupted(actor=WATCHER) == 0


# -- the Engine lost in the middle ----------------------------------------------------------


def lose_at(fleet, number: int) -> None:
    """The Engine goes away at the so-manieth call that changes something."""
    seen = []

    def count(name, args):
        if name in ("containers.stop", "containers.rename", "containers.create", "containers.start"):
            seen.append(name)
            fleet.engine.down = fleet.engine.down or len(seen) == number

    fleet.engine.before_call = count


def later() -> None:
    Project.objects.update(last_error_at=timezone.now() - timedelta(seconds=61))


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_a_refresh_in_which_the_engine_was_lost_is_finished_when_it_is_back_and_its_rule_is_not_held(fleet, number):
    fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    lose_at(fleet, number)
    fleet.hold_back = False
    fleet.at(OLD + 2)  # handed over again
    assert Decision.objects.get(pk=act).done is False
    assert Decision.objects.get(pk=act).started_at is None
    fleet.engine.before_call = None
    fleet.engine.down = False
    reconcile(actor=WATCHER)
    later()
    finish_interrupted(actor=WATCHER)
    reconcile(actor=WATCHER)
    assert (row().status, row().wanted) == (Status.RUNNING, Wanted.RUNNING)
    running = [name for name, status in names(fleet) if status == "running"]
    assert running == [NAME]
    if fleet.engine.box(NAME).docker_id == Decision.objects.get(pk=act).docker_id:
        fleet.at(OLD + 10)
        assert fleet.decision(row()).done, "it was not refreshed after all"


def test_what_ran_on_is_settled_and_a_later_stop_from_outside_stays(fleet):
    web = fleet.project()
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        restart_container(project=web, actor=PEOPLE)
    fleet.engine.down = False
    later()
    finish_interrupted(actor=WATCHER)
    fleet.engine.crash(NAME, exit_code=143)
    reconcile(actor=WATCHER)
    assert finish_interrupted(actor=WATCHER) == 0
    assert names(fleet) == [(NAME, "exited")]


def test_a_stop_that_the_engine_did_not_hear_is_not_turned_into_a_start(fleet):
    web = fleet.project()
    fleet.engine.down = True
    for action in (stop_container, remove_container):
        with pytest.raises(EngineUnreachable):
            action(project=web, actor=PEOPLE)
    fleet.engine.down = False
    fleet.engine.containers.stop(NAME)
    reconcile(actor=WATCHER)
    Project.objects.update(wanted=Wanted.NONE)
    later()
    assert finish_interrupted(actor=WATCHER) == 0
    assert names(fleet) == [(NAME, "exited")]


# -- a worker that died in the middle of an act ---------------------------------------------


def test_a_refresh_whose_worker_died_before_it_changed_anything_counts_as_none_but_only_once_a_day(fleet):
    fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    counted = []
    for minutes in (OLD + 16, OLD + 32):
        Decision.objects.filter(pk=act).update(started_at=fleet.began + (minutes - 16) * MINUTE)  # and then it was killed
        again = fleet.at(minutes).acts
        closed = Decision.objects.get(pk=act)
        assert closed.done is False
        counted.append(closed.started_at is not None)
        act = again[0] if again else None
    assert counted == [False, True]
    assert act is None  # it waits for the cool-down now
