"""Which rule a reading breaks, in words and numbers."""

from datetime import datetime, timedelta

from projects.services.decisions.values import Observation, Policy
from projects.states import Health, Rule

ORDER = (Rule.UNHEALTHY, Rule.MEMORY, Rule.DISK, Rule.AGE)


def age_hours(seen: Observation, now: datetime) -> float | None:
    return (now - seen.created_at).total_seconds() / 3600 if seen.created_at else None


def breached(rule: Rule, seen: Observation, policy: Policy, now: datetime) -> bool | None:
    """Whether the reading is over its limit; None where it is not known."""
    if rule is Rule.AGE:
        age = age_hours(seen, now)
        return None if age is None else age > policy.age_hours
    if rule is Rule.MEMORY:
        return None if seen.memory_percent is None else seen.memory_percent > policy.memory_percent
    if rule is Rule.DISK:
        return _disk(seen, policy)
    return _unhealthy(seen, policy, now)


def disk_is_full(seen: Observation, policy: Policy) -> bool:
    return seen.disk_percent is not None and seen.disk_percent > policy.disk_percent


def _disk(seen: Observation, policy: Policy) -> bool | None:
    """The workspace's disk stays as it is: only the container's own layer on the Engine's disk can be won back."""
    if seen.disk_percent is None:
        return None
    if not disk_is_full(seen, policy):
        return False
    return None if seen.layer_mb is None else seen.layer_mb >= policy.min_layer_mb


def _unhealthy(seen: Observation, policy: Policy, now: datetime) -> bool | None:
    if seen.health is Health.HEALTHY:
        return False
    if seen.health is not Health.UNHEALTHY or seen.started_at is None or now < seen.started_at + policy.start_period:
        return None
    return True if seen.failing_streak >= policy.failures else None


def sentence(rule: Rule, seen: Observation, policy: Policy, now: datetime) -> str:
    """What is over its limit, without the full stop."""
    if rule is Rule.AGE:
        return f"The container is {age_hours(seen, now) or 0:.1f} hours old, over the limit of {policy.age_hours:g}"
    if rule is Rule.MEMORY:
        return f"Its memory stands at {seen.memory_percent or 0:.1f} % of its own limit, over {policy.memory_percent:g} %"
    if rule is Rule.DISK:
        return (
            f"The Engine's disk is {seen.disk_percent or 0:.1f} % full, over {policy.disk_percent:g} %, "
            f"and the container's own layer holds {seen.layer_mb or 0:.0f} MB"
        )
    return f"Its health check failed {seen.failing_streak} times in a row"


def numbers(seen: Observation, policy: Policy, now: datetime) -> dict[str, float | int | str | None]:
    """Every reading beside its limit."""
    age = age_hours(seen, now)
    return {
        "age_hours": None if age is None else round(age, 2),
        "age_limit_hours": policy.age_hours,
        "memory_percent": seen.memory_percent,
        "memory_limit_percent": policy.memory_percent,
        "disk_percent": seen.disk_percent,
        "disk_limit_percent": policy.disk_percent,
        "layer_mb": seen.layer_mb,
        "layer_least_mb": policy.min_layer_mb,
        "health": str(seen.health),
        "failing_streak": seen.failing_streak,
        "failures_needed": policy.failures,
        "busy": seen.busy_reason,
    }


def age_due_at(seen: Observation, policy: Policy) -> datetime | None:
    return seen.created_at + timedelta(hours=policy.age_hours) if seen.created_at else None
