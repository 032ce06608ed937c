"""Whether the hub can work: its database, the Engine, the worker."""

import threading
import time

from django.db import DatabaseError, connection

from projects.engine.errors import EngineError
from projects.services.engines import current_engine
from projects.services.heartbeats import worker_lives

ENGINE_SECONDS = 2
_KEPT_SECONDS = 1
"""Anybody may ask; the Engine is asked no more often than this."""

_lock = threading.Lock()
_engine_asked: tuple[float, bool] | None = None


def missing() -> list[str]:
    """What is not ready, of `database`, `engine`, `worker`. Takes 2 s at most where the Engine hangs."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        worker = worker_lives()
    except DatabaseError:
        return ["database"]
    return ([] if _engine_answers() else ["engine"]) + ([] if worker else ["worker"])


def _engine_answers() -> bool:
    global _engine_asked
    with _lock:
        if _engine_asked is None or time.monotonic() - _engine_asked[0] > _KEPT_SECONDS:
            _engine_asked = (time.monotonic(), _ping())
        return _engine_asked[1]


def _ping() -> bool:
    try:
        current_engine().ping(timeout_seconds=ENGINE_SECONDS)
    except EngineError:
        return False
    return True
