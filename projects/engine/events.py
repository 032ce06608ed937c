"""The Engine's events: hints, since it keeps few and drops some. Whoever follows them reconciles at each connect."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

import structlog

from projects.engine.base import EngineEvent
from projects.engine.errors import EngineError
from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

KINDS = ("create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "rename", "update", "destroy", "health_status")
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
PING_SECONDS = 5
"""How often a silent stream is tested by a ping: a hung Engine ends no stream by itself."""

log = structlog.get_logger(__name__)
Stop = Callable[[], bool]


class DockerEvents:
    """`Events` of projects.engine.base."""

    def __init__(self, connection: "Connection", ping: Callable[[], None]) -> None:
        self._connection = connection
        self._ping = ping

    def follow(self, *, stop: Stop, labels: Mapping[str, str] | None = None) -> Iterator[EngineEvent]:
        pause = FIRST_PAUSE_SECONDS
        while not stop():
            try:
                for event in self._one_stream(stop, labels):
                    pause = FIRST_PAUSE_SECONDS
                    yield event
            except EngineError as error:
                log.info("events.disconnected", error=str(error))
            if stop():
                return
            yield EngineEvent("disconnected")
            _sleep(pause, stop)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _one_stream(self, stop: Stop, labels: Mapping[str, str] | None) -> Iterator[EngineEvent]:
        """Until it breaks. A thread of its own reads, so that `stop` and the pings are not held up by silence."""
        filters = {"type": ["container"], "event": list(KINDS)}
        if labels:
            filters["label"] = [f"{key}={value}" for key, value in labels.items()]
        with self._connection.raw_client() as client:
            with translated(self._connection.base_url):
                stream = client.events(decode=True, filters=filters)
            arrived: Queue[Mapping[str, Any] | None] = Queue()
            threading.Thread(target=_read, args=(stream, arrived), name="engine-events", daemon=True).start()
            try:
                yield EngineEvent("connected")
                yield from self._arrivals(arrived, stop)
            finally:
                with suppress(Exception):  # it may be broken already; nothing is left to do with it
                    stream.close()

    def _arrivals(self, arrived: "Queue[Mapping[str, Any] | None]", stop: Stop) -> Iterator[EngineEvent]:
        silent = 0.0
        while not stop():
            try:
                found = arrived.get(timeout=0.5)
            except Empty:
                silent += 0.5
                if silent >= PING_SECONDS:
                    self._ping()
                    silent = 0.0
                continue
            silent = 0.0
            if found is None:
                return
            yield event_of(found)


def _read(stream: Any, arrived: "Queue[Mapping[str, Any] | None]") -> None:
    try:
        for found in stream:
            arrived.put(found)
    except Exception as error:  # a thread's end: the follower learns of it by the None below
        log.info("events.stream_broke", error=repr(error))
    finally:
        arrived.put(None)


def event_of(found: Mapping[str, Any]) -> EngineEvent:
    """By Type, Action and Actor only: the older fields are gone from API 1.52 on."""
    actor = found.get("Actor") or {}
    attributes = dict(actor.get("Attributes") or {})
    kind, _, detail = str(found.get("Action", "")).partition(": ")
    if detail:
        attributes["detail"] = detail
    at = datetime.fromtimestamp(found["timeNano"] / 1e9, UTC) if found.get("timeNano") else None
    return EngineEvent(kind=kind, docker_id=actor.get("ID", ""), at=at, attributes=attributes)


def _sleep(seconds: float, stop: Stop) -> None:
    waited = threading.Event()
    while seconds > 0 and not stop():
        waited.wait(min(0.5, seconds))
        seconds -= 0.5
