"""An Engine in memory that keeps the promises of `projects.engine.base`, with faults to order.

Its parts stand in `fake_containers`, `fake_execs` and `fake_images`; what a test changes stands here.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from projects.engine.base import DiskUse, EngineEvent, EngineInfo, ExecSpec
from projects.engine.errors import EngineUnreachable
from tests.engine.fake_containers import FakeContainer, FakeContainers
from tests.engine.fake_execs import FakeExecs, FakeStats, RunningExec, Script
from tests.engine.fake_images import FakeImages, FakeNetworks

__all__ = ["FakeEngine", "Script", "down_engine", "losing_engine", "slow_engine"]

DEFAULT_IMAGES = ("claude-dev-base:latest", "debian:bookworm-slim")
Hook = Callable[[str, Mapping[str, Any]], None]


@dataclass
class FakeEngine:
    """What a test may set at any time: `down` (every call raises EngineUnreachable), `delay_seconds` (each call is that
    slow), `losing` (streams break in the middle), `before_call` and `after_call` (told "containers.create" and its
    arguments; what they raise passes through), `scripts` (what a command answers), `build_error`.

    What a test may look at: `calls` (names in order), `boxes` (containers by id), `builds`, `usages`.
    """

    delay_seconds: float = 0
    down: bool = False
    losing: bool = False
    before_call: Hook | None = None
    after_call: Hook | None = None
    build_error: str = ""
    build_lines: tuple[str, ...] = ("Step 1/2 : FROM scratch", "Step 2/2 : RUN true")
    host: EngineInfo = field(
        default_factory=lambda: EngineInfo(
            "20.10.0", "1.41", "unix:///fake.sock", True, 8, 16 << 30, "/var/lib/docker", "overlay2", "1", "Fake"
        )
    )

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.calls: list[str] = []
        self.boxes: dict[str, FakeContainer] = {}
        self.scripts: dict[tuple[str, ...], Script] = {}
        self.handlers: list[Callable[[FakeContainer, ExecSpec], Script | None]] = []
        self.running: dict[str, RunningExec] = {}
        self.usages: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)
        self.images = FakeImages(self)
        self.networks = FakeNetworks(self)
        self.containers = FakeContainers(self)
        self.execs = FakeExecs(self)
        self.stats = FakeStats(self)
        self.events = FakeEvents(self)
        for tag in DEFAULT_IMAGES:
            self.images.add(tag)

    # -- the protocol -----------------------------------------------------------------------

    def ping(self, *, timeout_seconds: float = 3) -> None:
        if self.delay_seconds > timeout_seconds:
            raise unreachable()
        self.called("ping", timeout_seconds=timeout_seconds)

    def info(self) -> EngineInfo:
        self.called("info")
        return self.host

    def disk_use(self) -> Sequence[DiskUse]:
        self.called("disk_use")
        shelf, boxes = self.images.list(), list(self.boxes.values())
        used = {box.image_id for box in boxes}
        idle = [image for image in shelf if image.image_id not in used]
        running = sum(box.info().running for box in boxes)
        return [
            DiskUse(
                "images",
                len(shelf),
                len(shelf) - len(idle),
                sum(image.size_bytes for image in shelf),
                sum(image.size_bytes for image in idle),
            ),
            DiskUse("containers", len(boxes), running, 100 * len(boxes), 100 * (len(boxes) - running)),
            DiskUse("volumes", 0, 0, 0, 0),
            DiskUse("build cache", 0, 0, 0, 0),
        ]

    def close(self) -> None:
        """Nothing is open."""

    # -- for tests --------------------------------------------------------------------------

    def box(self, ref: str) -> FakeContainer:
        """The container of that name or id; fails the test when there is none."""
        found = self.containers.find(ref)
        assert found is not None, f"no container {ref!r} among {[box.spec.name for box in self.boxes.values()]}"
        return found

    def crash(self, ref: str, *, exit_code: int = 1, oom: bool = False) -> None:
        """The main process of a container ends by itself."""
        self.containers.end(self.box(ref), exit_code=exit_code, oom=oom)

    def remove_outside(self, ref: str) -> None:
        """As if someone ran `docker rm -f`: no hook, no entry in `calls`."""
        self.containers.forget(self.box(ref))

    # -- for the parts ----------------------------------------------------------------------

    def called(self, name: str, /, **args: Any) -> None:
        """At the start of each call: record, wait, fail as told."""
        self.calls.append(name)
        if self.before_call:
            self.before_call(name, args)
        if self.delay_seconds:
            time.sleep(self.delay_seconds)
        if self.down:
            raise unreachable()

    def did(self, name: str, /, **args: Any) -> None:
        """At the end of each call that changes something."""
        if self.after_call:
            self.after_call(name, args)

    def new_id(self) -> str:
        """64 hex digits, like the Engine's; the first 12 differ as well."""
        return f"{next(self._numbers):012x}".ljust(64, "f")


class FakeEvents:
    """`Events`: every change of a container, to whoever follows at that moment."""

    def __init__(self, engine: FakeEngine) -> None:
        self._engine = engine
        self._changed = threading.Condition()
        self._all: list[EngineEvent] = []

    def emit(self, kind: str, box: FakeContainer, **attributes: str) -> None:
        event = EngineEvent(
            kind, box.docker_id, datetime.now(UTC), {**box.spec.labels, "name": box.name, "image": box.spec.image, **attributes}
        )
        with self._changed:
            self._all.append(event)
            self._changed.notify_all()

    def follow(self, *, stop: Callable[[], bool], labels: Mapping[str, str] | None = None) -> Iterator[EngineEvent]:
        connected, position = False, 0
        while not stop():
            if self._engine.down:
                if connected:
                    connected = False
                    yield EngineEvent("disconnected")
                time.sleep(0.05)
            elif not connected:
                connected, position = True, len(self._all)
                yield EngineEvent("connected")
            else:
                for event in self._next(position):
                    position += 1
                    if all(event.attributes.get(key) == value for key, value in (labels or {}).items()):
                        yield event

    def _next(self, position: int) -> list[EngineEvent]:
        with self._changed:
            self._changed.wait_for(lambda: len(self._all) > position, timeout=0.05)
            return self._all[position:]


def unreachable() -> EngineUnreachable:
    return EngineUnreachable("The Docker Engine at unix:///fake.sock does not answer: is it running? Start it, then try again.")


def down_engine() -> FakeEngine:
    """Not running."""
    return FakeEngine(down=True)


def slow_engine(delay_seconds: float = 0.3) -> FakeEngine:
    """Every call takes its time."""
    return FakeEngine(delay_seconds=delay_seconds)


def losing_engine() -> FakeEngine:
    """Streams break before their end."""
    return FakeEngine(losing=True)
