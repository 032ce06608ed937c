"""Many calls at once with one deadline: a slow or broken one delays no other."""

import queue
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import structlog

from projects.engine.errors import EngineError

K = TypeVar("K")
V = TypeVar("V")
THREADS = 8

log = structlog.get_logger(__name__)


def within(seconds: float, calls: Mapping[K, Callable[[], V]], *, threads: int = THREADS) -> dict[K, V]:
    """What the calls answered in time. Those that raised, or hang, are left out and logged.

    A call that hangs for ever (a dead network file system) keeps its daemon thread, and nothing else. No call may use
    the database.
    """
    waiting: queue.SimpleQueue[tuple[K, Callable[[], V]]] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[K, V | Exception]] = queue.SimpleQueue()
    for item in calls.items():
        waiting.put(item)
    for number in range(min(threads, len(calls))):
        threading.Thread(target=_work, args=(waiting, answers), name=f"sweep-{number}", daemon=True).start()
    found: dict[K, V] = {}
    missing = set(calls)
    until = time.monotonic() + seconds
    while missing:
        try:
            key, answer = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            log.warning("sweep.late", calls=sorted(map(str, missing))[:20], seconds=seconds)
            break
        missing.discard(key)
        if isinstance(answer, Exception):
            log.warning("sweep.call_failed", call=str(key), error=str(answer), cause=repr(answer.__cause__))
        else:
            found[key] = answer
    return found


def _work(waiting: "queue.SimpleQueue[tuple[K, Callable[[], V]]]", answers: "queue.SimpleQueue[tuple[K, V | Exception]]") -> None:
    while True:
        try:
            key, call = waiting.get_nowait()
        except queue.Empty:
            return
        try:
            answers.put((key, call()))
        except (EngineError, OSError) as error:
            answers.put((key, error))
        except Exception as error:
            log.exception("sweep.call_broke", call=str(key))
            answers.put((key, error))
