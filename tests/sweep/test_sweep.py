"""The sweep on a fake Engine: what it stores, what it decides, and that nothing is done twice."""

from datetime import timedelta

import pytest
from django.db import DatabaseError
from django_q.models import OrmQ

from projects.engine.errors import EngineUnreachable, Refused
from projects.models import CommandRun, Container, Decision, Event, HealthMemory, Lease, Project, Sample, TerminalSession
from projects.services.lifecycle import refresh_container, stop_container
from projects.services.sweep import carry_out, sweep
from projects.services.sweep.measuring import measure
from projects.states import Cause, Health, RunState, Verdict
from projects.tasks import tick
from tests.sweep.conftest import MINUTE, PEOPLE

MB = 1 << 20
OLD = 73 * 60
"""Minutes."""


def busy(project: Project) -> CommandRun:
    return CommandRun.objects.create(project=project, command="make", timeout_seconds=60, actor_name="x")


def ended(run: CommandRun) -> None:
    CommandRun.objects.filter(pk=run.pk).update(state=RunState.FINISHED, finished_at=run.started_at, exit_code=0)


def prove(fleet) -> None:
    """As the gate does when the new container's health check passes."""
    Container.objects.filter(prove_until__isnull=False).update(prove_until=None)


# -- what is stored -------------------------------------------------------------------------


def test_a_sweep_stores_one_sample_for_each_running_container_and_keeps_what_is_well(fleet):
    web, idle = fleet.project("web"), fleet.project("idle")
    stop_container(project=idle, actor=PEOPLE)
    fleet.use(web, memory_bytes=512 * MB, memory_limit_bytes=1024 * MB)
    report = fleet.at(0)
    assert (report.containers, report.samples, report.acts) == (2, 1, ())
    sample = Sample.objects.get()
    assert (sample.project, sample.memory_mb, sample.memory_percent, sample.pids) == (web, 512, 50, 2)
    assert sample.disk_percent is not None
    assert (fleet.decision(web).verdict, fleet.decision(idle).cause) == (Verdict.KEEP, Cause.NOT_RUNNING)


def test_what_stays_the_same_is_one_row_whose_last_moment_moves(fleet):
    web = fleet.project()
    for minute in range(5):
        fleet.at(minute)
    row = Decision.objects.get(project=web)
    assert row.last_at - row.at == 4 * MINUTE
    assert Sample.objects.filter(span_seconds=0).count() == 5
    assert fleet.kinds() == []


def test_a_project_without_a_container_is_left_alone(fleet):
    fleet.host.project("none")
    assert fleet.at(0).containers == 0
    assert not Decision.objects.exists()


# -- one sweep for one tick -----------------------------------------------------------------


def test_a_second_delivery_of_the_same_tick_does_nothing(fleet):
    fleet.project()
    assert fleet.at(0) is not None
    assert fleet.at(0) is None
    assert fleet.at(0.3) is None
    assert fleet.at(0.5) is not None
    assert Sample.objects.filter(span_seconds=0).count() == 2


def test_a_sweep_that_was_killed_is_waited_for_no_longer_than_its_lease(fleet):
    fleet.project()
    Lease.objects.create(name="sweep", holder="dead", expires_at=fleet.began + timedelta(seconds=120))
    assert fleet.at(1) is None
    assert fleet.at(2) is not None


def test_a_clock_that_was_ahead_and_is_set_back_does_not_stop_the_sweeps(fleet):
    fleet.project()
    assert fleet.at(60) is not None
    assert fleet.at(0) is not None


def test_a_sweep_that_was_overtaken_writes_nothing(fleet, monkeypatch):
    fleet.project()

    def overtaken(engine, projects):
        Lease.objects.update(holder="another")
        return measure(engine, projects)

    monkeypatch.setattr("projects.services.sweep.measure", overtaken)
    assert fleet.at(0) is None
    assert not Sample.objects.exists()
    assert not Decision.objects.exists()
    assert Lease.objects.get().holder == "another"


def test_a_delivered_act_is_done_once_however_often_it_comes(fleet):
    web = fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    now = fleet.began + OLD * MINUTE
    assert [carry_out(act, now=now) for _ in range(3)] == [True, False, False]
    assert fleet.engine.calls.count("containers.create") == 2
    web.refresh_from_db()
    assert web.generation == 2


def test_an_act_that_nobody_began_is_handed_over_again_and_given_up_in_the_end(fleet):
    web = fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    fleet.at(OLD + 1)
    fleet.at(OLD + 2)
    assert [what for what in fleet.handed if what[0] == "carry_out"] == [("carry_out", act), ("carry_out", act)]
    fleet.at(OLD + 11)
    row = Decision.objects.get(pk=act)
    assert (row.done, row.started_at) == (False, None)
    assert not carry_out(act, now=fleet.began + (OLD + 11) * MINUTE)
    assert fleet.decision(web).pk != act  # decided anew


# -- rules end to end -----------------------------------------------------------------------


def test_at_72_hours_it_waits_while_a_command_runs_and_is_refreshed_after_it(fleet):
    web = fleet.project()
    run = busy(web)
    fleet.at(OLD)
    fleet.at(OLD + 1)
    waiting = fleet.decision(web)
    assert (waiting.verdict, waiting.cause) == (Verdict.WAIT, Cause.BUSY)
    assert waiting.reason.endswith("it waits: a command is running.")
    assert fleet.engine.calls.count("containers.create") == 1
    ended(run)
    fleet.at(OLD + 2)
    acted = fleet.decision(web)
    assert (acted.verdict, acted.done, acted.outcome) == (Verdict.REFRESH, True, "Done.")
    assert fleet.kinds("health.", "container.refreshed") == ["health.wait", "health.refresh", "container.refreshed"]
    event = Event.objects.get(kind="container.refreshed")
    assert (event.actor_name, "73" in event.details["reason"]) == ("hub", True)


def test_a_command_that_begins_between_decision_and_act_saves_the_container_and_costs_no_cool_down(fleet):
    web = fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    run = busy(web)
    assert not carry_out(act, now=fleet.began + OLD * MINUTE)
    row = Decision.objects.get(pk=act)
    assert (row.done, row.outcome, row.started_at) == (False, "A command is running.", None)
    ended(run)
    fleet.hold_back = False
    fleet.at(OLD + 1)
    assert fleet.decision(web).done


def test_memory_is_refreshed_after_two_breaches_and_held_when_that_did_not_help(fleet):
    web = fleet.project()
    fleet.use(web, memory_bytes=97 * MB, memory_limit_bytes=100 * MB)
    for minute in range(30):
        fleet.at(minute)
        prove(fleet)
    rows = list(Decision.objects.filter(project=web).order_by("id").values_list("verdict", "cause"))
    assert [row for row in rows if row[0] != Verdict.KEEP] == [
        (Verdict.WAIT, Cause.SECOND_READING),
        (Verdict.REFRESH, Cause.NONE),
        (Verdict.WAIT, Cause.COOL_DOWN),
        (Verdict.HOLD, Cause.NO_HELP),
    ]
    assert fleet.decision(web).numbers["memory_percent"] == 97
    assert fleet.kinds() == ["health.refresh", "health.wait", "health.hold"]
    assert HealthMemory.objects.get(project=web).history["rules"]["memory"]["held_at"]


def test_memory_without_a_limit_of_its_own_is_no_reading(fleet):
    web = fleet.project()
    fleet.use(web, memory_bytes=97 * MB, memory_limit_bytes=None)
    fleet.at(0)
    fleet.at(6)
    assert fleet.decision(web).verdict == Verdict.KEEP


def test_unhealthy_goes_up_the_ladder_with_the_events_in_order(fleet):
    web = fleet.project()
    fleet.began += 10 * MINUTE  # past the start period
    for half in range(40):
        box = fleet.engine.box("claude-dev-web")
        box.health, box.failing_streak = Health.UNHEALTHY, 3
        box.started_at = fleet.began - 5 * MINUTE
        fleet.at(half / 2)
        prove(fleet)
    assert fleet.kinds("health.", "container.re") == [
        *["health.restart", "container.restarted"] * 3,
        "health.refresh",
        "container.refreshed",
        "health.hold",
    ]
    assert fleet.decision(web).cause == Cause.NO_HELP


def test_a_full_disk_of_the_engine_is_told_once_and_refreshes_only_a_layer_worth_it(fleet):
    web, small = fleet.project("web"), fleet.project("small")
    fleet.host.configure(refresh_disk_percent=0.001)
    fleet.engine.box("claude-dev-web").layer_bytes = 3000 * MB
    for minute in (0, 1, 6, 7):
        fleet.at(minute)
    assert Decision.objects.filter(project=web, verdict=Verdict.REFRESH, rule="disk", done=True).count() == 1
    assert fleet.decision(small).cause == Cause.NOTHING_TO_WIN
    assert fleet.kinds("engine.disk_full") == ["engine.disk_full"]


def test_a_process_left_behind_that_uses_the_cpu_counts_as_busy(fleet):
    web = fleet.project()
    for minute in range(4):
        fleet.use(web, cpu_seconds=100.0 + minute * 30)
        fleet.at(72 * 60 - 2 + minute)
    assert fleet.decision(web).cause == Cause.BUSY
    assert "% of a core" in fleet.decision(web).reason


@pytest.mark.parametrize("moment", ["last_input_at", "last_output_at"])
def test_a_terminal_that_was_used_lately_counts_as_busy(fleet, moment):
    web = fleet.project()
    terminal = TerminalSession.objects.create(project=web, name="main", **{moment: fleet.began + (OLD - 14) * MINUTE})
    fleet.at(OLD)
    assert fleet.decision(web).reason.endswith("it waits: the terminal main was used in the last 15 minutes.")
    fleet.at(OLD + 2)
    assert fleet.decision(web).verdict == Verdict.REFRESH
    assert TerminalSession.objects.filter(pk=terminal.pk).exists()


# -- people's wishes ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "verdict", "cause"),
    [
        ({"refresh_mode": "off"}, Verdict.KEEP, Cause.OFF),
        ({"refresh_mode": "suggest"}, Verdict.WAIT, Cause.SUGGEST),
        ({"pinned": True}, Verdict.KEEP, Cause.PINNED),
        ({"refresh_age_hours": 100}, Verdict.KEEP, Cause.NONE),
    ],
)
def test_a_projects_own_policy_is_kept(fleet, fields, verdict, cause):
    web = fleet.project(**fields)
    fleet.at(OLD)
    assert (fleet.decision(web).verdict, fleet.decision(web).cause) == (verdict, cause)
    assert fleet.engine.calls.count("containers.create") == 1


def test_a_refresh_by_hand_makes_a_held_rule_count_again(fleet):
    web = fleet.project()
    fleet.use(web, memory_bytes=97 * MB, memory_limit_bytes=100 * MB)
    for minute in range(20):
        fleet.at(minute)
        prove(fleet)
    assert fleet.decision(web).verdict == Verdict.HOLD
    refresh_container(project=web, actor=PEOPLE)
    prove(fleet)
    fleet.at(21)
    assert fleet.decision(web).cause != Cause.NO_HELP


# -- the fleet and its faults ---------------------------------------------------------------


def test_two_at_once_and_the_others_wait_their_turn(fleet):
    fleet.host.configure(refresh_age_hours=1e6)
    for number in range(15):
        fleet.project(f"p{number}", **({"refresh_age_hours": 72} if number < 3 else {}))
    fleet.hold_back = True
    assert len(fleet.at(OLD).acts) == 2
    assert Decision.objects.filter(cause=Cause.SLOTS).count() == 1


def test_when_more_than_a_fifth_is_due_at_once_none_is_acted_on_and_it_is_told_once(fleet):
    for number in range(4):
        fleet.use(fleet.project(f"p{number}"), memory_bytes=99 * MB, memory_limit_bytes=100 * MB)
    for minute in range(10):
        fleet.at(minute)
    assert fleet.engine.calls.count("containers.create") == 4
    assert {fleet.decision(project).cause for project in Project.objects.all()} == {Cause.SUSPECT}
    event = Event.objects.get(kind="health.suspected")
    assert event.details == {"rule": "memory", "fleet": 4}


def test_one_sick_container_delays_and_breaks_no_other(fleet):
    sick, well = fleet.project("sick"), fleet.project("well")
    fleet.engine.box("claude-dev-sick").health = Health.UNHEALTHY

    def fail(name, args):
        if name == "containers.inspect":
            raise Refused("It cannot be asked, on purpose.")

    fleet.engine.before_call = fail
    fleet.at(0)
    assert fleet.decision(sick).verdict == fleet.decision(well).verdict == Verdict.KEEP
    assert Sample.objects.count() == 2


def test_a_row_that_cannot_be_written_stops_no_other(fleet, monkeypatch):
    fleet.project("a")
    good = fleet.project("b")
    create = Decision.objects.create

    def refuse(**fields):
        if fields["project"].slug == "a":
            raise DatabaseError("on purpose")
        return create(**fields)

    monkeypatch.setattr(Decision.objects, "create", refuse)
    fleet.at(0)
    assert list(Decision.objects.values_list("project", flat=True)) == [good.pk]


def test_an_engine_that_is_away_is_no_reading_and_the_lease_is_free_again(fleet):
    web = fleet.project()
    fleet.engine.down = True
    with pytest.raises(EngineUnreachable):
        fleet.at(0)
    tick()
    fleet.engine.down = False
    fleet.at(1)
    assert fleet.decision(web).verdict == Verdict.KEEP


def test_a_failed_refresh_is_told_counts_for_the_cool_down_and_is_not_tried_each_minute(fleet):
    web = fleet.project()

    def fail(name, args):
        if name == "containers.create":
            raise Refused("No room, on purpose.")

    fleet.engine.before_call = fail
    for minute in range(10):
        fleet.at(OLD + minute)
    assert Decision.objects.filter(verdict=Verdict.REFRESH).count() == 1
    assert Decision.objects.get(verdict=Verdict.REFRESH).outcome == "No room, on purpose."
    assert fleet.kinds("health.not_done") == ["health.not_done"]
    assert fleet.decision(web).cause == Cause.NO_HELP


def test_the_worker_is_handed_the_acts_as_tasks_of_their_own(fleet):
    fleet.project()
    sweep(now=fleet.began + OLD * MINUTE)
    names = {task.task["func"] for task in OrmQ.objects.all()}
    assert names == {"projects.tasks.carry_out", "projects.tasks.measure_layers"}


def test_seven_days_of_waiting_are_told_once(fleet):
    busy(fleet.project())
    for day in range(12):
        fleet.at(OLD + day * 24 * 60)
    assert fleet.kinds("health.waiting") == ["health.waiting_long"]


# -- between decision and act ---------------------------------------------------------------


def act_due(fleet, project) -> int:
    """An unhealthy container's restart, handed over and not begun."""
    fleet.began += 10 * MINUTE  # past the start period
    box = fleet.engine.box(f"claude-dev-{project.slug}")
    box.health, box.failing_streak, box.started_at = Health.UNHEALTHY, 3, fleet.began - 5 * MINUTE
    fleet.hold_back = True
    act: int = fleet.at(0).acts[0]
    return act


def test_one_that_is_well_again_when_its_turn_comes_is_not_restarted(fleet):
    web = fleet.project()
    act = act_due(fleet, web)
    fleet.engine.box("claude-dev-web").health = Health.HEALTHY
    assert not carry_out(act, now=fleet.began + 5 * MINUTE)
    row = Decision.objects.get(pk=act)
    assert (row.outcome, row.started_at) == ("The container is not unhealthy any more.", None)
    assert "containers.restart" not in fleet.engine.calls


def test_an_act_in_which_the_engine_is_lost_costs_nothing_and_is_decided_anew(fleet):
    web = fleet.project()
    act = act_due(fleet, web)
    fleet.engine.down = True
    assert not carry_out(act, now=fleet.began)
    assert Decision.objects.get(pk=act).started_at is None
    fleet.engine.down = False
    assert fleet.at(1).acts != (act,)
    assert fleet.decision(web).verdict == Verdict.RESTART


@pytest.mark.parametrize("mode", ["suggest", "off"])
def test_one_whose_people_left_the_mode_act_meanwhile_is_left_alone(fleet, mode):
    web = fleet.project()
    act = act_due(fleet, web)
    Project.objects.update(refresh_mode=mode)
    assert not carry_out(act, now=fleet.began)
    assert Decision.objects.get(pk=act).outcome == f"The project's refresh mode became {mode} meanwhile."
