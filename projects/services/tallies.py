"""Numbers that outlive the process that counted them: one row per name and labels, added to in place."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db.models import F

from projects.models import Tally

ACTION, SWEEP, ENGINE_ERROR = "action_seconds", "sweep_seconds", "engine_errors"


def count(name: str, value: float = 1, **labels: str) -> None:
    """Add one measurement. Cheap: one UPDATE, and an INSERT the first time."""
    key = f"{name}{json.dumps(labels, sort_keys=True)}"
    found = Tally.objects.filter(key=key)
    if not found.exists():
        Tally.objects.get_or_create(key=key, defaults={"name": name, "labels": labels})
    found.update(count=F("count") + 1, total=F("total") + value)


@contextmanager
def timed(name: str, **labels: str) -> Iterator[dict[str, str]]:
    """Counts the seconds of the block with `result`: ok, or the name of the error that it raises. Labels may be added within."""
    began = time.monotonic()
    try:
        yield labels
    except Exception as error:
        count(name, time.monotonic() - began, **labels, result=type(error).__name__)
        raise
    count(name, time.monotonic() - began, **labels, result="ok")
