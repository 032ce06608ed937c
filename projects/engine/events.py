"""The Engine's events: hints, since it keeps few and drops some. Whoever follows them reconciles at each connect."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import docker
import requests
import structlog

from projects.engine.base import EngineEvent
from projects.engine.errors import EngineError
from projects.engine.streaming import Streaming

if TYPE_CHECKING:
    from projects.engine.connection import Connection

KINDS = ("create", "start", "restart", "stop", "kill", "die", "oom", "pause", "unpause", "rename", "update", "destroy", "health_status")
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
PATIENCE_SECONDS = 10
"""A hung Engine ends no stream by itself; after so long without an answered ping it counts as lost."""
LOOK_SECONDS = 0.25

log = structlog.get_logger(__name__)
Stop = Callable[[], bool]


class DockerEvents:
    """`Events` of projects.engine.base."""

    def __init__(self, connection: "Connection", *, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._connection = connection
        self._patience_seconds = patience_seconds

    def follow(self, *, stop: Stop, labels: Mapping[str, str] | None = None) -> Iterator[EngineEvent]:
        pause = FIRST_PAUSE_SECONDS
        while not stop():
            connected = False
            try:
                for event in self._one_stream(stop, labels):
                    connected, pause = True, FIRST_PAUSE_SECONDS
                    yield event
            except EngineError as error:
                log.info("engine.events_lost", error=str(error))
            if connected and not stop():
                yield EngineEvent("disconnected")
            _sleep(pause, stop)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _one_stream(self, stop: Stop, labels: Mapping[str, str] | None) -> Iterator[EngineEvent]:
        """Until it breaks, or `stop` says so."""
        filters = {"type": ["container"], "event": list(KINDS), "label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        # `since` closes the gap between the answer's head and the Engine's own subscription.
        params = {"filters": json.dumps(filters), "since": f"{time.time():.6f}"}

        def ask(client: docker.APIClient) -> requests.Response:
            address = f"{client.base_url}/v{client.api_version}/events"
            return client.get(address, params=params, stream=True, timeout=self._connection.timeout_seconds)

        stream = Streaming(self._connection, ask, patience_seconds=self._patience_seconds)
        waiting = b""
        try:
            while not stop():
                try:
                    chunk = stream.next(LOOK_SECONDS)
                except TimeoutError:
                    continue
                if chunk is None:
                    return
                if not chunk:
                    yield EngineEvent("connected")
                *lines, waiting = (waiting + chunk).split(b"\n")
                yield from (event_of(json.loads(line)) for line in lines if line.strip())
        finally:
            stream.close()


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
    until = time.monotonic() + seconds
    while not stop() and (left := until - time.monotonic()) > 0:
        time.sleep(min(LOOK_SECONDS, left))
