"""What is seen, what is remembered, what is wished, and what is decided: frozen dataclasses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from projects.states import Cause, Health, RefreshMode, Rule, Status, Verdict

BREACH_GAP = timedelta(minutes=5)
"""Disk and memory count after two breaches so far apart, with none below the limit between them."""
BREACH_STALE = timedelta(minutes=30)
"""A breach that was not seen for so long begins anew."""
RESTARTS = 3
BACK_OFFS = (timedelta(minutes=1), timedelta(minutes=2), timedelta(minutes=4))
"""After the first, second and third restart, before the next step."""
RESTARTS_A_DAY = 10
"""Over healthy spells too: what fails again and again is refreshed, then left to people."""
HEALTHY_SPELL = timedelta(minutes=10)
"""So long healthy without a break, and the ladder of restarts begins anew."""
COOL_DOWN, LONGEST_COOL_DOWN = timedelta(hours=1), timedelta(hours=24)
COOL_DOWN_WINDOW = timedelta(hours=48)
"""Each refresh of the hub's own within it doubles the next cool-down."""
A_DAY = timedelta(hours=24)
REFRESHES_A_DAY = 3
CHECK_AFTER = timedelta(minutes=5)
"""A refresh has had its effect by then: the reading that caused it is checked."""
RELIEF = timedelta(hours=24)
"""A held rule whose reading was below the limit for so long counts again."""
TELL_AFTER = timedelta(days=7)
AT_ONCE = 2
FLEET_PART, FLEET_LEAST = 5, 3
"""More than one in FLEET_PART due by one rule (and at least FLEET_LEAST): the sensor is suspected."""
SUSPECT_AGE = timedelta(hours=24)
"""Age is no sensor: a fleet that was made at once is due at once. After a day of suspicion it goes on, two at a time."""

ACTS = frozenset({Verdict.RESTART, Verdict.REFRESH})


@dataclass(frozen=True)
class Observation:
    """One look at a container. What is not known is None, never 0.

    `memory_percent` is without the page cache, against a limit of its own; `disk_percent` is the Engine's disk;
    `layer_mb` is what the container itself wrote, measured at `layer_at`.
    """

    docker_id: str
    status: Status
    created_at: datetime | None = None
    started_at: datetime | None = None
    pending_action: str = ""
    proving: bool = False
    health: Health = Health.NONE
    failing_streak: int = 0
    memory_percent: float | None = None
    disk_percent: float | None = None
    layer_mb: float | None = None
    layer_at: datetime | None = None
    busy_reason: str = ""

    @property
    def running(self) -> bool:
        return self.status is Status.RUNNING


@dataclass(frozen=True)
class Policy:
    """What a project wishes. `quiet_hours` (UTC, from and until) are when nobody works: refreshes for age, memory and disk
    are done then only. `hard_limit_hours` after it fell due a refresh is done although somebody is busy; None: never."""

    mode: RefreshMode = RefreshMode.ACT
    pinned: bool = False
    age_hours: float = 72
    memory_percent: float = 90
    disk_percent: float = 80
    min_layer_mb: float = 1024
    failures: int = 3
    start_period: timedelta = timedelta(seconds=60)
    quiet_hours: tuple[time, time] | None = None
    hard_limit_hours: float | None = None


@dataclass(frozen=True)
class Act:
    """A restart or refresh that the hub itself began."""

    at: datetime
    verdict: Verdict
    rule: Rule


@dataclass(frozen=True)
class RuleState:
    """What is remembered of one rule: the unbroken series of breaches, since when it is fine, whether it is held."""

    breached_at: datetime | None = None
    seen_at: datetime | None = None
    fine_at: datetime | None = None
    held_at: datetime | None = None
    held_on: str = ""


@dataclass(frozen=True)
class History:
    """What is remembered of one project. `acts` are those of COOL_DOWN_WINDOW at least, oldest first."""

    acts: tuple[Act, ...] = ()
    rules: Mapping[Rule, RuleState] = field(default_factory=dict)
    spell_at: datetime | None = None  # when it became unhealthy; a healthy spell ends it
    healthy_at: datetime | None = None  # since when it is healthy without a break
    checked_at: datetime | None = None  # the refreshes begun until then were checked
    waiting_at: datetime | None = None  # since when an act is due and waits
    told_at: datetime | None = None  # somebody was told of the waiting

    def of(self, rule: Rule) -> RuleState:
        return self.rules.get(rule) or _NOTHING

    def refreshes(self) -> list[Act]:
        return [act for act in self.acts if act.verdict is Verdict.REFRESH]


@dataclass(frozen=True)
class Decision:
    """`reason` is a sentence for people, `numbers` are what led to it. `wish` is the act that is due but waits (or is only
    suggested). `due_at`: when it changes by itself, if the readings stay."""

    verdict: Verdict
    rule: Rule
    cause: Cause
    reason: str
    numbers: Mapping[str, float | int | str | None]
    due_at: datetime | None = None
    wish: Verdict | None = None

    @property
    def due(self) -> bool:
        return self.wish is not None or self.verdict in ACTS


_NOTHING = RuleState()
