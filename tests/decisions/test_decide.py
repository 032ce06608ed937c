"""The rules one by one, each with its words."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from projects.services.decisions import Act, Decision, Fleet, History, Observation, Policy, after, decide, follow, grant, quiet, suspect
from projects.states import Cause, Health, RefreshMode, Rule, Status, Verdict

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
FINE = Observation(
    "a", Status.RUNNING, created_at=NOW - HOUR, started_at=NOW - HOUR, health=Health.HEALTHY, memory_percent=10, disk_percent=10, layer_mb=1
)
OLD = replace(FINE, created_at=NOW - 80 * HOUR)
SICK = replace(FINE, health=Health.UNHEALTHY, failing_streak=3)
BUSY = "A command is running."


def look(seen, history=None, policy=None, now=NOW) -> Decision:
    history = follow(history or History(), seen, policy or Policy(), now)
    return decide(seen, history, policy or Policy(), now)


def test_what_is_well_is_kept_and_says_when_it_is_due():
    decision = look(FINE)
    assert (decision.verdict, decision.cause) == (Verdict.KEEP, Cause.NONE)
    assert decision.due_at == NOW + 71 * HOUR + timedelta(seconds=1)
    assert decision.reason == "Nothing is wrong; it is due when it is 72 hours old."


def test_what_is_old_is_refreshed_with_the_numbers_that_led_to_it():
    decision = look(OLD)
    assert (decision.verdict, decision.rule) == (Verdict.REFRESH, Rule.AGE)
    assert decision.reason == "The container is 80.0 hours old, over the limit of 72: it is refreshed."
    assert (decision.numbers["age_hours"], decision.numbers["age_limit_hours"]) == (80.0, 72)


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"status": Status.EXITED}, Cause.NOT_RUNNING),
        ({"status": Status.UNKNOWN}, Cause.NOT_RUNNING),
        ({"status": Status.PAUSED}, Cause.NOT_RUNNING),
        ({"pending_action": "stop"}, Cause.UNDER_WAY),
        ({"proving": True}, Cause.PROVING),
    ],
)
def test_what_does_not_run_or_is_under_way_is_left_alone(changes, cause):
    decision = look(replace(OLD, **changes))
    assert (decision.verdict, decision.cause) == (Verdict.KEEP, cause)


@pytest.mark.parametrize(
    ("policy", "verdict", "cause"),
    [
        (Policy(mode=RefreshMode.OFF), Verdict.KEEP, Cause.OFF),
        (Policy(mode=RefreshMode.SUGGEST), Verdict.WAIT, Cause.SUGGEST),
        (Policy(pinned=True), Verdict.KEEP, Cause.PINNED),
        (Policy(age_hours=100), Verdict.KEEP, Cause.NONE),
        (Policy(quiet_hours=(time(22), time(6))), Verdict.WAIT, Cause.QUIET_HOURS),
        (Policy(quiet_hours=(time(11), time(13))), Verdict.REFRESH, Cause.NONE),
    ],
)
def test_the_projects_policy_counts(policy, verdict, cause):
    decision = look(OLD, policy=policy)
    assert (decision.verdict, decision.cause) == (verdict, cause)


def test_a_busy_container_waits_and_says_why():
    decision = look(replace(OLD, busy_reason=BUSY))
    assert (decision.verdict, decision.cause, decision.wish) == (Verdict.WAIT, Cause.BUSY, Verdict.REFRESH)
    assert decision.reason.endswith("; it waits: a command is running.")


def test_past_its_hard_limit_it_waits_no_longer():
    policy = Policy(hard_limit_hours=24)
    history = History(waiting_at=NOW - 25 * HOUR)
    busy = replace(OLD, busy_reason=BUSY)
    assert look(busy, replace(history, waiting_at=NOW - 23 * HOUR), policy).verdict is Verdict.WAIT
    decision = look(busy, history, policy)
    assert (decision.verdict, decision.cause) == (Verdict.REFRESH, Cause.HARD_LIMIT)
    assert look(replace(SICK, busy_reason=BUSY), history, policy).verdict is Verdict.WAIT  # for a refresh only


def test_seven_days_of_waiting_are_told_once():
    history, told = History(), []
    busy = replace(OLD, busy_reason=BUSY)
    for day in range(20):
        now = NOW + day * 24 * HOUR
        history = follow(history, busy, Policy(), now)
        before = history.told_at
        history = after(history, decide(busy, history, Policy(), now), now)
        if history.told_at != before:
            told.append(day)
    assert told == [7]
    assert after(history, look(FINE), NOW).told_at is None


# -- memory and disk ------------------------------------------------------------------------


def test_one_breach_is_none_and_two_must_be_five_minutes_apart():
    high = replace(FINE, memory_percent=95)
    history, causes = History(), []
    for minute in range(6):
        history = follow(history, high, Policy(), NOW + minute * MINUTE)
        causes.append(decide(high, history, Policy(), NOW + minute * MINUTE).cause)
    assert causes == [Cause.SECOND_READING] * 5 + [Cause.NONE]


def test_a_reading_below_the_limit_begins_the_series_anew():
    high = replace(FINE, memory_percent=95)
    history = follow(History(), high, Policy(), NOW)
    history = follow(history, FINE, Policy(), NOW + 4 * MINUTE)
    assert look(high, history, now=NOW + 6 * MINUTE).cause is Cause.SECOND_READING


def test_a_breach_from_before_a_long_blindness_does_not_count():
    high = replace(FINE, memory_percent=95)
    history = follow(History(), high, Policy(), NOW)
    assert look(high, history, now=NOW + 5 * HOUR).cause is Cause.SECOND_READING


def test_unknown_readings_are_no_breach():
    assert look(replace(FINE, memory_percent=None, disk_percent=None, layer_mb=None, created_at=None)).verdict is Verdict.KEEP


def test_a_full_disk_counts_only_with_a_layer_worth_winning():
    full = replace(FINE, disk_percent=95)
    assert look(full).cause is Cause.NOTHING_TO_WIN
    assert look(replace(full, layer_mb=None)).cause is Cause.UNMEASURED
    worth = replace(full, layer_mb=2000)
    history = follow(History(), worth, Policy(), NOW)
    decision = look(worth, history, now=NOW + 5 * MINUTE)
    assert (decision.verdict, decision.rule) == (Verdict.REFRESH, Rule.DISK)


def test_a_pinned_project_is_never_promised_a_refresh():
    for seen in (FINE, OLD, replace(FINE, disk_percent=95), replace(OLD, disk_percent=95)):
        assert look(seen, policy=Policy(pinned=True)).due_at is None


# -- after a refresh ------------------------------------------------------------------------


def test_a_refresh_that_changed_nothing_has_its_rule_held_until_people_make_another_container():
    high = replace(FINE, memory_percent=95)
    history = replace(follow(History(), high, Policy(), NOW), acts=(Act(NOW, Verdict.REFRESH, Rule.MEMORY),))
    new = replace(high, docker_id="b")
    history = follow(history, new, Policy(), NOW + 5 * MINUTE)
    assert decide(new, history, Policy(), NOW + 3 * HOUR).cause is Cause.NO_HELP
    history = follow(history, replace(high, docker_id="c"), Policy(), NOW + 4 * HOUR)
    assert decide(new, history, Policy(), NOW + 4 * HOUR).cause is Cause.SECOND_READING


def test_a_refresh_that_helped_leaves_the_rule_in_force():
    history = History(acts=(Act(NOW, Verdict.REFRESH, Rule.MEMORY),))
    history = follow(history, FINE, Policy(), NOW + 5 * MINUTE)
    assert history.checked_at == NOW
    assert history.of(Rule.MEMORY).held_at is None


def test_a_disk_refresh_is_checked_by_a_layer_measured_after_it():
    full = replace(FINE, disk_percent=95, layer_mb=2000, layer_at=NOW - MINUTE)
    history = History(acts=(Act(NOW, Verdict.REFRESH, Rule.DISK),))
    assert follow(history, full, Policy(), NOW + 10 * MINUTE).checked_at is None
    after_it = replace(full, layer_at=NOW + 9 * MINUTE)
    assert follow(history, after_it, Policy(), NOW + 10 * MINUTE).of(Rule.DISK).held_at is not None


def test_the_cool_down_doubles_and_three_a_day_are_the_most():
    acts: tuple[Act, ...] = ()
    now, waits = NOW, []
    for _ in range(4):
        acts = (*acts, Act(now, Verdict.REFRESH, Rule.UNHEALTHY))
        decision = decide(replace(OLD, created_at=now - 80 * HOUR), History(acts=acts, checked_at=now), Policy(), now + MINUTE)
        assert decision.cause is Cause.COOL_DOWN
        assert decision.due_at is not None
        waits.append((decision.due_at - now) / HOUR)
        now = decision.due_at
    assert waits == [1, 2, 21, 8]


# -- the ladder -----------------------------------------------------------------------------


def test_unhealthy_is_restarted_three_times_backing_off_then_refreshed_once_then_held():
    history, now, done = History(), NOW, []
    sick = replace(SICK, created_at=NOW - HOUR)
    for _ in range(400):
        history = follow(history, sick, Policy(), now)
        decision = decide(sick, history, Policy(), now)
        if decision.verdict in (Verdict.RESTART, Verdict.REFRESH):
            done.append((str(decision.verdict), (now - NOW) / MINUTE))
            history = replace(history, acts=(*history.acts, Act(now, decision.verdict, decision.rule)))
        now += MINUTE / 2
    assert done == [("restart", 0), ("restart", 1), ("restart", 3), ("refresh", 7)]
    assert (decision.verdict, decision.cause) == (Verdict.HOLD, Cause.NO_HELP)


def test_a_healthy_spell_begins_the_ladder_anew_but_a_blink_does_not():
    acts = tuple(Act(NOW - (9 - minute) * MINUTE, Verdict.RESTART, Rule.UNHEALTHY) for minute in (0, 1, 2))
    history = History(acts=acts, spell_at=NOW - 10 * MINUTE)
    blink = follow(history, FINE, Policy(), NOW)
    assert decide(SICK, follow(blink, SICK, Policy(), NOW + MINUTE), Policy(), NOW + MINUTE).verdict is Verdict.REFRESH
    spell = follow(blink, FINE, Policy(), NOW + 10 * MINUTE)
    later = NOW + 11 * MINUTE
    assert decide(SICK, follow(spell, SICK, Policy(), later), Policy(), later).verdict is Verdict.RESTART


def test_within_the_start_period_and_below_three_failures_it_is_not_unhealthy():
    assert look(replace(SICK, started_at=NOW - 59 * timedelta(seconds=1))).verdict is Verdict.KEEP
    assert look(replace(SICK, failing_streak=2)).verdict is Verdict.KEEP
    assert look(replace(SICK, started_at=None)).verdict is Verdict.KEEP


def test_a_pinned_project_is_restarted_but_never_refreshed():
    assert look(SICK, policy=Policy(pinned=True)).verdict is Verdict.RESTART
    acts = tuple(Act(NOW - (20 - minute) * MINUTE, Verdict.RESTART, Rule.UNHEALTHY) for minute in (0, 1, 3))
    decision = look(SICK, History(acts=acts, spell_at=NOW - 30 * MINUTE), Policy(pinned=True))
    assert (decision.verdict, decision.cause) == (Verdict.HOLD, Cause.PINNED)


# -- the fleet ------------------------------------------------------------------------------


def test_two_at_once_and_the_rest_wait_their_turn():
    fleet = Fleet(20)
    granted = grant({number: look(OLD) for number in range(4)}, fleet, NOW)
    assert [decision.verdict for decision in granted.values()] == [Verdict.REFRESH] * 2 + [Verdict.WAIT] * 2
    assert granted[3].reason == "The container is 80.0 hours old, over the limit of 72; it waits its turn: 2 at once in all."
    assert granted[3].wish is Verdict.REFRESH


def test_more_than_a_fifth_at_once_means_that_the_sensor_is_suspected():
    decisions = {number: look(SICK) for number in range(5)}
    assert {decision.verdict for decision in grant(decisions, Fleet(25, under_way=-9), NOW).values()} == {Verdict.RESTART}
    granted = grant(decisions, suspect(decisions.values(), Fleet(24), NOW), NOW)
    assert {decision.cause for decision in granted.values()} == {Cause.SUSPECT}
    assert "5 of 24 containers" in granted[0].reason


def test_a_small_fleet_is_not_suspected_for_one_or_two():
    assert grant({0: look(OLD)}, Fleet(1), NOW)[0].verdict is Verdict.REFRESH
    assert grant({0: look(OLD), 1: look(OLD)}, Fleet(2), NOW)[1].verdict is Verdict.REFRESH


def test_a_fleet_made_at_once_goes_on_after_a_day_of_suspicion_of_its_age():
    decisions = {number: look(OLD) for number in range(9)}
    first = suspect(decisions.values(), Fleet(9), NOW)
    assert {decision.verdict for decision in grant(decisions, first, NOW).values()} == {Verdict.WAIT}
    later = suspect(decisions.values(), first, NOW + 24 * HOUR)
    granted = grant(decisions, later, NOW + 24 * HOUR)
    assert sum(decision.verdict is Verdict.REFRESH for decision in granted.values()) == 2


# -- quiet hours ----------------------------------------------------------------------------


def test_quiet_hours_go_over_midnight():
    hours = quiet.parse("22:00-06:00")
    assert quiet.opens_at(hours, NOW) == NOW + 10 * HOUR
    assert quiet.opens_at(hours, NOW.replace(hour=23)) is None
    assert quiet.opens_at(hours, NOW.replace(hour=5)) is None
    assert quiet.opens_at(quiet.parse("01:00-02:00"), NOW) == NOW + 13 * HOUR
    assert quiet.parse("") is None


@pytest.mark.parametrize("text", ["22-06", "24:00-01:00", "22:00", "10:00-10:00", "22:00-06:00 ", "２２:00-06:00"])
def test_quiet_hours_that_are_none_are_refused(text):
    with pytest.raises(ValueError, match="must be"):
        quiet.parse(text)
