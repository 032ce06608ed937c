"""What holds whatever is seen: hypothesis plays containers minute by minute, with readings, faults and people of all kinds."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from projects.services.decisions import ACTS, Act, Decision, Fleet, History, Observation, Policy, after, decide, follow, grant, suspect
from projects.services.decisions.values import A_DAY, AT_ONCE, COOL_DOWN, FLEET_PART, REFRESHES_A_DAY, RESTARTS
from projects.states import Action, Cause, Health, RefreshMode, Rule, Status, Verdict

START = datetime(2026, 3, 1, tzinfo=UTC)
PERCENT = st.one_of(st.none(), st.floats(0, 100))
TIMES = st.tuples(st.integers(0, 23), st.integers(0, 23)).filter(lambda pair: pair[0] != pair[1])

policies = st.builds(
    Policy,
    mode=st.sampled_from([RefreshMode.ACT, RefreshMode.ACT, RefreshMode.ACT, RefreshMode.SUGGEST, RefreshMode.OFF]),
    pinned=st.booleans(),
    age_hours=st.sampled_from([1, 24, 72]),
    quiet_hours=st.one_of(st.none(), TIMES.map(lambda pair: (time(pair[0]), time(pair[1])))),
)
readings = st.builds(
    Observation,
    docker_id=st.just("a"),
    status=st.sampled_from([Status.RUNNING] * 8 + [Status.EXITED, Status.UNKNOWN, Status.PAUSED]),
    pending_action=st.sampled_from([Action.NOTHING] * 8 + [Action.REFRESH]),
    proving=st.sampled_from([False] * 8 + [True]),
    health=st.sampled_from([Health.HEALTHY, Health.UNHEALTHY, Health.UNHEALTHY, Health.STARTING]),
    failing_streak=st.integers(0, 6),
    memory_percent=PERCENT,
    disk_percent=PERCENT,
    layer_mb=st.one_of(st.none(), st.floats(0, 5000)),
    busy_reason=st.sampled_from(["", "", "A command is running."]),
)
steps = st.lists(st.tuples(st.sampled_from([1, 5, 20, 90, 600]), readings), min_size=1, max_size=60)


class Player:
    """Plays a container. A refresh makes a new one; whether it changes the readings is up to what is seen next."""

    def __init__(self, policy: Policy) -> None:
        self.policy, self.history, self.now = policy, History(), START
        self.created_at, self.version = START - timedelta(hours=80), 0
        self.acts: list[tuple[Act, Observation]] = []

    def see(self, minutes: int, reading: Observation) -> Decision:
        self.now += timedelta(minutes=minutes)
        seen = replace(reading, docker_id=f"v{self.version}", created_at=self.created_at, started_at=self.created_at, layer_at=self.now)
        self.history = follow(self.history, seen, self.policy, self.now)
        decision = decide(seen, self.history, self.policy, self.now)
        self.history = after(self.history, decision, self.now)
        if decision.verdict in ACTS:
            act = Act(self.now, decision.verdict, decision.rule)
            self.acts.append((act, seen))
            self.history = replace(self.history, acts=(*self.history.acts, act))
            if decision.verdict is Verdict.REFRESH:
                self.version += 1
                self.created_at = self.now
        return decision


@given(policies, steps)
@settings(max_examples=300, deadline=None, derandomize=True)
def test_whatever_is_seen_nothing_is_done_that_must_not_be(policy, played):
    player = Player(policy)
    for minutes, reading in played:
        decision = player.see(minutes, reading)
        assert decision.reason.endswith(".")
        assert len(decision.reason.split()) > 3
        assert "age_hours" in decision.numbers
        if decision.verdict is Verdict.WAIT:
            assert decision.cause
        if decision.verdict in ACTS:
            assert policy.mode is RefreshMode.ACT
            assert not reading.busy_reason
            assert reading.running
            assert not reading.pending_action
            assert not reading.proving
            assert decision.rule
        if decision.verdict is Verdict.REFRESH:
            assert not policy.pinned
    refreshes = [act.at for act, _ in player.acts if act.verdict is Verdict.REFRESH]
    for earlier, later in pairwise(refreshes):
        assert later - earlier >= COOL_DOWN
    for at in refreshes:
        assert sum(timedelta(0) <= at - other < A_DAY for other in refreshes) <= REFRESHES_A_DAY


STUCK = [
    (Rule.MEMORY, Observation("", Status.RUNNING, memory_percent=97, health=Health.HEALTHY)),
    (Rule.DISK, Observation("", Status.RUNNING, disk_percent=95, layer_mb=5000, health=Health.HEALTHY)),
    (Rule.UNHEALTHY, Observation("", Status.RUNNING, health=Health.UNHEALTHY, failing_streak=3)),
]


@given(st.sampled_from(STUCK), st.lists(st.sampled_from([1, 3, 6, 29, 60]), min_size=200, max_size=400))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_reading_that_a_refresh_cannot_change_is_tried_once_and_then_held(stuck, gaps):
    rule, reading = stuck
    player = Player(Policy(age_hours=1e6))
    decisions = [player.see(minutes, reading) for minutes in gaps]
    refreshes = [act for act, _ in player.acts if act.verdict is Verdict.REFRESH]
    restarts = [act for act, _ in player.acts if act.verdict is Verdict.RESTART]
    assert len(refreshes) == 1
    assert len(restarts) == (RESTARTS if rule is Rule.UNHEALTHY else 0)
    assert (decisions[-1].verdict, decisions[-1].rule, decisions[-1].cause) == (Verdict.HOLD, rule, Cause.NO_HELP)


@given(st.floats(80.1, 100), st.floats(0, 1023), st.lists(st.sampled_from([1, 6, 60]), min_size=20, max_size=60))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_full_disk_without_a_layer_worth_winning_never_refreshes(disk, layer, gaps):
    player = Player(Policy(age_hours=1e6))
    reading = Observation("", Status.RUNNING, disk_percent=disk, layer_mb=layer, health=Health.HEALTHY)
    assert {player.see(minutes, reading).cause for minutes in gaps} == {Cause.NOTHING_TO_WIN}
    assert player.acts == []


decided = st.builds(
    Decision,
    verdict=st.sampled_from([Verdict.KEEP, Verdict.REFRESH, Verdict.RESTART]),
    rule=st.sampled_from([Rule.UNHEALTHY, Rule.MEMORY, Rule.AGE]),
    cause=st.just(Cause.NONE),
    reason=st.just("It is old: it is refreshed."),
    numbers=st.just({}),
)


@given(st.lists(decided, max_size=40), st.integers(0, 4), st.integers(0, 60))
@settings(max_examples=300, deadline=None, derandomize=True)
def test_the_fleet_never_does_more_than_two_at_once_and_nothing_when_a_sensor_is_suspected(decisions, under_way, more):
    fleet = Fleet(len(decisions) + more, under_way)
    before = dict(enumerate(decisions))
    fleet = suspect(decisions, fleet, START)
    granted = grant(before, fleet, START)
    acts = [decision for decision in granted.values() if decision.verdict in ACTS]
    assert len(acts) <= max(0, AT_ONCE - under_way)
    for rule in fleet.suspected_at:
        assert sum(decision.due and decision.rule is rule for decision in decisions) * FLEET_PART > fleet.size
        assert not [decision for decision in acts if decision.rule is rule]
    for key, decision in granted.items():
        assert decision.due == before[key].due
        assert decision.verdict in (before[key].verdict, Verdict.WAIT)
