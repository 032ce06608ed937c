"""Numbers that only grow, in the database: each process counts what it knows, and a restart loses nothing."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

import structlog
from django.db import DatabaseError
from django.db.models import F

from projects.engine.errors import EngineError
from projects.models import Counter

DECISIONS, ENGINE_ERRORS, ACTIONS = "decisions", "engine_errors", "action_duration_seconds"
BUCKETS = (0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, float("inf"))
"""Upper bounds of the durations, in seconds."""

log = structlog.get_logger(__name__)


def count(name: str, amount: float = 1, **labels: str) -> None:
    """Raises DatabaseError; within a transaction it is counted only if that is kept."""
    key = json.dumps({label: str(value) for label, value in labels.items()}, sort_keys=True)
    rows = Counter.objects.filter(name=name, labels=key)
    if not rows.update(value=F("value") + amount):
        Counter.objects.bulk_create([Counter(name=name, labels=key)], ignore_conflicts=True)
        rows.update(value=F("value") + amount)


def count_engine_error(error: EngineError) -> None:
    """By its kind. Not within a transaction: what cannot be counted is only logged, since the error itself is worth more."""
    _kept(lambda: count(ENGINE_ERRORS, kind=type(error).__name__))


@contextmanager
def timed(action: str) -> Iterator[None]:
    """How long an action took, and whether it was done."""
    began = monotonic()
    outcome = "failed"
    try:
        yield
        outcome = "done"
    finally:
        _kept(lambda: _observe(action, outcome, monotonic() - began))


def _observe(action: str, outcome: str, seconds: float) -> None:
    bound = next(bound for bound in BUCKETS if seconds <= bound)
    count(f"{ACTIONS}_bucket", action=action, outcome=outcome, le=str(bound))
    count(f"{ACTIONS}_sum", seconds, action=action, outcome=outcome)


def _kept(counting: Callable[[], None]) -> None:
    try:
        counting()
    except DatabaseError:
        log.exception("metrics.not_counted")
