"""The watcher: follows the Engine, reconciles, and sees that the worker works. Each duty has a thread of its own."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from django.conf import settings
from django.db import close_old_connections, connection

from containerhub.processes import launcher_pid
from projects.engine.errors import EngineError, EngineUnreachable
from projects.services import heartbeats
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.finishing import finish_interrupted
from projects.services.gate import GATE_SECONDS, prove_refreshes
from projects.services.instance import instance_id
from projects.services.leftovers import settle_leftovers
from projects.services.reconcile import engine_is_lost, note_engine_lost, observe_event, reconcile
from projects.services.record import WATCHER
from projects.services.spec import hub_labels

RECONCILE_SECONDS = 30
SETTLE_SECONDS = 20
WORKER_SECONDS = 10
PING_SECONDS = 5
AGAIN_SECONDS = 5
STOP_SECONDS = 1

log = structlog.get_logger(__name__)


@dataclass
class Duty:
    """Something done now, and again each `seconds`, give or take a tenth. `wake` has it done at once."""

    name: str
    seconds: float
    do: Callable[[], object]
    wake: threading.Event

    def run(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.wake.clear()
            attempt(self.name, self.do)
            self.wake.wait(self.seconds * random.uniform(0.9, 1.1))  # noqa: S311 - jitter


def attempt(name: str, do: Callable[[], object]) -> None:
    """Do it; whatever goes wrong is logged, and done with."""
    close_old_connections()
    try:
        do()
    except (EngineError, HubError) as error:
        log.warning("watcher.failed", duty=name, error=str(error), cause=repr(error.__cause__))
    except Exception:
        log.exception("watcher.broke", duty=name)
    finally:
        connection.close()


class Watcher:
    """`run` returns soon after `stop`."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._restarted_at = time.monotonic()
        self._reconcile = self._duty("reconcile", RECONCILE_SECONDS, self._look_around)
        self._duties = [
            self._reconcile,
            self._duty("ping", PING_SECONDS, self._ping),
            self._duty("follow", AGAIN_SECONDS, self._follow),
            self._duty("settle", SETTLE_SECONDS, settle_leftovers),
            self._duty("finish", SETTLE_SECONDS, lambda: finish_interrupted(actor=WATCHER)),
            self._duty("prove", GATE_SECONDS, lambda: prove_refreshes(actor=WATCHER)),
            self._duty("canary", heartbeats.CANARY_SECONDS, heartbeats.send_canary),
            self._duty("worker", WORKER_SECONDS, self._mind_worker),
        ]

    def run(self) -> None:
        heartbeats.started("watcher")
        threads = [threading.Thread(target=duty.run, args=(self._stop,), name=duty.name, daemon=True) for duty in self._duties]
        for thread in threads:
            thread.start()
        self._stop.wait()
        deadline = time.monotonic() + STOP_SECONDS
        for thread in threads:
            thread.join(max(0, deadline - time.monotonic()))

    def stop(self) -> None:
        self._stop.set()
        for duty in self._duties:
            duty.wake.set()

    @staticmethod
    def _duty(name: str, seconds: float, do: Callable[[], object]) -> Duty:
        return Duty(name, seconds, do, threading.Event())

    def _look_around(self) -> None:
        """The heartbeat is here, because this is what must not stop; a hung Engine holds it up by its deadline only."""
        try:
            reconcile(actor=WATCHER)
        finally:
            heartbeats.beat("watcher")

    def _ping(self) -> None:
        """A hung Engine holds up every other call until its deadline; this one it cannot hold up for long."""
        try:
            current_engine().ping(timeout_seconds=PING_SECONDS)
        except EngineUnreachable as error:
            note_engine_lost(actor=WATCHER, why=str(error))
            return
        if engine_is_lost():
            reconcile(actor=WATCHER)

    def _follow(self) -> None:
        """Events are hints: at each connect everything is compared, for each event the one project it speaks of."""
        for event in current_engine().events.follow(stop=self._stop.is_set, labels=hub_labels(instance_id())):
            if event.kind in ("connected", "disconnected"):
                self._reconcile.wake.set()
            else:
                attempt("observe", lambda event=event: observe_event(event))  # type: ignore[misc]

    def _mind_worker(self) -> None:
        """A worker that does no task is restarted: its launcher ends, and the supervisor starts another."""
        silent = heartbeats.worker_silent_since()
        if silent is None or time.monotonic() - self._restarted_at < heartbeats.SILENT_SECONDS:
            return
        self._restarted_at = time.monotonic()
        pid = launcher_pid("worker", settings.DATA_DIR)
        log.error("watcher.worker_silent", since=silent.isoformat(timespec="seconds"), launcher=pid)
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
