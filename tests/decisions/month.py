"""A month of a fleet, played by events: a container is looked at when something happens to it, or when its decision said so."""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from projects.services.decisions import ACTS, Act, Decision, Fleet, History, Observation, Policy, after, decide, follow, grant
from projects.states import Cause, Health, Rule, Status, Verdict

START = datetime(2026, 1, 1, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


@dataclass
class Box:
    """One container with its faults. `leak`: memory is up so long after a start; `cursed`: a refresh changes nothing."""

    number: int
    created_at: datetime
    policy: Policy
    leak: timedelta | None
    cursed: frozenset[Rule]
    history: History = field(default_factory=History)
    next_look: int = 0
    held: bool = False
    sick_at: datetime | None = None
    sick_restarts: int = 0
    busy_until: datetime = START
    layer_mb: float = 0
    version: int = 0
    refreshed: list[tuple[datetime, Rule]] = field(default_factory=list)
    restarted: list[datetime] = field(default_factory=list)

    def seen(self, now: datetime, disk_percent: float) -> Observation:
        leaking = self.leak is not None and now - self.created_at > self.leak
        sick = self.sick_at is not None and now > self.sick_at + 4 * MINUTE
        return Observation(
            docker_id=f"{self.number}-{self.version}",
            status=Status.RUNNING,
            created_at=self.created_at,
            started_at=self.created_at,
            health=Health.UNHEALTHY if sick else Health.HEALTHY,
            failing_streak=3 if sick else 0,
            memory_percent=95 if leaking or Rule.MEMORY in self.cursed else 40,
            disk_percent=disk_percent,
            layer_mb=self.layer_mb,
            layer_at=now,
            busy_reason="A command is running." if now < self.busy_until else "",
        )


class Month:
    """`run()` plays it; `counts` are what was done, `looks` how often somebody looked."""

    def __init__(self, containers: int, days: int, seed: int) -> None:
        self.chance = random.Random(seed)
        self.end = START + days * DAY
        self.counts: Counter[str] = Counter()
        self.looks = 0
        self.faults = 0
        self.boxes = [self._box(number) for number in range(containers)]
        self.fleet = Fleet(containers)
        self.queue: list[tuple[datetime, int, int, str]] = []
        self.order = 0

    def run(self) -> None:
        for box in self.boxes:
            self._at(START, box, "look")
            for _ in range(self.chance.randrange(8)):
                self._at(START + self.chance.random() * (self.end - START), box, self.chance.choice(["sick", "busy", "busy", "layer"]))
        while self.queue and self.queue[0][0] < self.end:
            now, order, number, what = heapq.heappop(self.queue)
            box = self.boxes[number]
            if what == "look" and order != box.next_look:
                continue  # somebody looked meanwhile
            if what != "look":
                self._happen(box, what, now)
            self._look(box, now)

    # -- the parts --------------------------------------------------------------------------

    def _box(self, number: int) -> Box:
        chance = self.chance
        leak = chance.uniform(1, 60) * HOUR if chance.random() < 0.1 else None
        cursed = frozenset({Rule.MEMORY} if chance.random() < 0.02 else {Rule.UNHEALTHY} if chance.random() < 0.02 else ())
        return Box(number, START - chance.random() * 72 * HOUR, Policy(pinned=chance.random() < 0.05), leak, cursed)

    def _at(self, when: datetime, box: Box, what: str) -> None:
        self.order += 1
        if what == "look":
            box.next_look = self.order
        heapq.heappush(self.queue, (when, self.order, box.number, what))

    def _happen(self, box: Box, what: str, now: datetime) -> None:
        self.faults += what != "busy"
        if what == "sick":
            box.sick_at, box.sick_restarts = now, self.chance.randrange(6)
        elif what == "layer":
            box.layer_mb = 4000
        else:
            box.busy_until = now + self.chance.choice([HOUR, 10 * HOUR, 9 * DAY])

    def _look(self, box: Box, now: datetime) -> None:
        self.looks += 1
        policy = box.policy
        seen = box.seen(now, 85 if now.day % 10 == 0 else 60)
        box.history = follow(box.history, seen, policy, now)
        decision = decide(seen, box.history, policy, now)
        if decision.verdict in ACTS:
            decision = grant({0: decision}, Fleet(1), now)[0]
        assert decision.reason
        told = box.history.told_at
        box.history = after(box.history, decision, now)
        self.counts["told of seven days of waiting"] += box.history.told_at is not None and told is None
        if decision.verdict in ACTS:
            self._act(box, seen, decision.verdict, decision.rule, now)
        if decision.cause is Cause.NO_HELP and not box.held:
            self.counts[f"held {decision.rule}"] += 1
        box.held = decision.cause is Cause.NO_HELP
        self._at(self._next(box, decision, now), box, "look")

    @staticmethod
    def _next(box: Box, decision: Decision, now: datetime) -> datetime:
        """When the hub, which looks each minute, would next see something else."""
        if decision.verdict in ACTS or (box.sick_at is not None and now - box.sick_at < 6 * MINUTE):
            return now + 6 * MINUTE
        later = {Verdict.KEEP: DAY, Verdict.HOLD: 12 * HOUR}.get(decision.verdict, 4 * HOUR)
        return max(min(decision.due_at or now + later, now + later), now + MINUTE)

    def _act(self, box: Box, seen: Observation, verdict: Verdict, rule: Rule, now: datetime) -> None:
        assert not seen.busy_reason
        self.counts[f"{verdict} {rule}"] += 1
        box.history = History(**{**vars(box.history), "acts": (*box.history.acts, Act(now, verdict, rule))[-20:]})
        if verdict is Verdict.RESTART:
            box.restarted.append(now)
            box.sick_restarts -= 1
        else:
            assert not box.policy.pinned
            box.refreshed.append((now, rule))
            box.version += 1
            box.created_at, box.layer_mb = now, 0
        healed = verdict is Verdict.REFRESH or box.sick_restarts < 0
        if healed and Rule.UNHEALTHY not in box.cursed:
            box.sick_at = None
        elif box.sick_at is not None:
            box.sick_at = now
