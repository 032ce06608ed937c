"""The fleet as a whole: two acts at once, and none where too many are due by one rule: then the sensor is suspected."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from projects.services.decisions.decide import put_off
from projects.services.decisions.values import ACTS, AT_ONCE, FLEET_LEAST, FLEET_PART, SUSPECT_AGE, Decision
from projects.states import Cause, Rule

K = TypeVar("K")


@dataclass(frozen=True)
class Fleet:
    """`size`: running containers; `under_way`: acts begun and not done; `suspected_at`: since when a rule is suspected."""

    size: int
    under_way: int = 0
    suspected_at: Mapping[Rule, datetime] = field(default_factory=dict)


def suspect(decisions: Iterable[Decision], fleet: Fleet, now: datetime) -> Fleet:
    """The fleet with the rules by which too many are due at once."""
    return replace(fleet, suspected_at={rule: fleet.suspected_at.get(rule, now) for rule in _crowded(decisions, fleet.size)})


def grant(decisions: Mapping[K, Decision], fleet: Fleet, now: datetime) -> dict[K, Decision]:
    """The decisions with those acts put off that may not be done now. Those that stand first are served first."""
    crowds = _crowded(decisions.values(), fleet.size)
    if now - fleet.suspected_at.get(Rule.AGE, now) >= SUSPECT_AGE:
        crowds.pop(Rule.AGE, None)
    free = AT_ONCE - fleet.under_way
    granted: dict[K, Decision] = {}
    for key, decision in decisions.items():
        if decision.verdict not in ACTS:
            granted[key] = decision
        elif decision.rule in crowds:
            why = f"{crowds[decision.rule]} of {fleet.size} containers are due by this rule at once, so the reading is suspected."
            granted[key] = put_off(decision, Cause.SUSPECT, why)
        elif free > 0:
            free -= 1
            granted[key] = decision
        else:
            granted[key] = put_off(decision, Cause.SLOTS, f"it waits its turn: {AT_ONCE} at once in all.")
    return granted


def _crowded(decisions: Iterable[Decision], size: int) -> dict[Rule, int]:
    due = Counter(decision.rule for decision in decisions if decision.due)
    return {rule: count for rule, count in due.items() if count >= FLEET_LEAST and count * FLEET_PART > size}
