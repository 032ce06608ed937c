"""The protocols that every engine keeps, and the values that cross its border (from `projects.engine.values`).

`tests/engine/test_contract.py` holds the promises; the real engine and the fake both pass it.
No Django here, and no word of the Docker SDK.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from projects.engine.values import (
    BuildProgress,
    BuildSpec,
    Change,
    Chunk,
    ContainerInfo,
    ContainerSpec,
    ContainerSummary,
    DiskUse,
    EngineEvent,
    EngineInfo,
    ExecOutcome,
    ExecSpec,
    HealthCheck,
    ImageInfo,
    ImageLayer,
    Mount,
    Process,
    Usage,
)
from projects.states import Stream

__all__ = [
    "MARKER_VARIABLE",
    "BuildProgress",
    "BuildSpec",
    "Change",
    "Chunk",
    "ContainerInfo",
    "ContainerSpec",
    "ContainerSummary",
    "Containers",
    "DiskUse",
    "Engine",
    "EngineEvent",
    "EngineInfo",
    "Events",
    "ExecOutcome",
    "ExecSpec",
    "ExecStream",
    "Execs",
    "HealthCheck",
    "ImageInfo",
    "ImageLayer",
    "Images",
    "Mount",
    "Networks",
    "Process",
    "Sink",
    "Stats",
    "Usage",
]

MARKER_VARIABLE = "CONTAINERHUB_EXEC_ID"
"""Environment variable that marks every process of one exec, so that all of them can be found and ended."""


Sink = Callable[[Stream, memoryview], None]


class ExecStream(Protocol):
    """An exec attached over a raw connection; an async context manager, closed on the way out.

    Closing never kills the process: `Execs.kill` does.
    """

    exec_id: str

    async def read(self) -> Chunk | None:
        """The next bytes as they came (never empty, never re-cut into lines); None at the end of the stream.

        Not reading holds the process back, since the Engine's own buffer fills."""

    def held(self) -> AbstractContextManager[None]:
        """Within, what comes waits outside this process, and costs it nothing; `read` finds all of it afterwards. Not while one
        is under way."""

    async def write(self, data: bytes) -> None:
        """Send to stdin; waits while the process does not read."""

    async def half_close(self) -> None:
        """End of stdin; output goes on."""

    async def resize(self, *, cols: int, rows: int) -> None: ...

    async def wait(self) -> int:
        """The exit code, after `read` gave None. Raises ConnectionLost if the Engine cannot confirm the end."""

    async def close(self) -> None: ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None: ...


# -- the protocols --------------------------------------------------------------------------


class Containers(Protocol):
    """Each call is repeatable: where the wished state holds already, it answers quietly."""

    def create(self, spec: ContainerSpec) -> str:
        """Create, and answer the docker_id. Raises NameTaken, NoSuchObject (image), Refused."""

    def start(self, ref: str) -> None:
        """Running afterwards, also if it was already. Raises NoSuchObject, Refused."""

    def stop(self, ref: str, *, grace_seconds: int = 10) -> None:
        """Not running afterwards (a paused one is unpaused first); quiet when stopped or gone already."""

    def restart(self, ref: str, *, grace_seconds: int = 10) -> None:
        """Raises NoSuchObject."""

    def remove(self, ref: str, *, force: bool = False) -> None:
        """Gone afterwards, with its anonymous volumes; quiet when gone or going already. WrongState if it runs and not force."""

    def rename(self, ref: str, name: str) -> None:
        """Raises NoSuchObject, NameTaken; quiet when it has that name already."""

    def inspect(self, ref: str) -> ContainerInfo | None:
        """None when there is none. `ref` is a docker_id or an exact name, never a prefix."""

    def list(self, *, labels: Mapping[str, str] | None = None, running_only: bool = False) -> Sequence[ContainerSummary]: ...

    def logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> bytes:
        """stdout and stderr in order, without frames. Raises NoSuchObject."""

    def follow_logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> Iterator[bytes]:
        """Log bytes as they come until the container stops; close the iterator to stop."""

    def processes(self, ref: str) -> Sequence[Process]:
        """Raises NoSuchObject, WrongState when it does not run."""

    def layer_bytes(self, ref: str) -> int:
        """Size of the writable layer. Slow (it walks files). Raises NoSuchObject."""

    def changes(self, ref: str, *, timeout_seconds: float = 60) -> Sequence[Change]:
        """What differs from its image, running or not: files, and the directories above them; what is mounted is left out.
        There may be hundreds of thousands, and the Engine then takes its time. Raises NoSuchObject."""


class Execs(Protocol):
    def run(
        self,
        ref: str,
        spec: ExecSpec,
        *,
        sink: Sink,
        timeout_seconds: float | None = None,
        stop: Callable[[], bool] | None = None,
        started: Callable[[str], None] | None = None,
    ) -> ExecOutcome:
        """Run to the end, handing every byte to `sink` in order as it arrives (valid during the call only).

        `stop` is asked at least each 0.2 s. At a timeout or stop the reading ends, the process does not: call `kill`.
        A slow sink slows the process, nothing is lost. `started` gets the exec's id. A broken connection
        is `connection_lost`, never success. Raises NoSuchObject, WrongState, EngineUnreachable (before the start).
        An exception of the sink passes through, the connection closed.
        """

    def open(self, ref: str, spec: ExecSpec) -> "ExecStream":
        """An asyncio stream, connected when entered with `async with`. Raises as `run`, on entering."""

    def kill(self, ref: str, marker: str, *, grace_seconds: float = 3) -> bool:
        """End every process in the container whose environment bears `<MARKER_VARIABLE>=<marker>`, children of other
        process groups and of sudo too: TERM, grace, KILL, at most 5 rounds. True when a last scan found none."""


class Stats(Protocol):
    def usage(self, ref: str) -> Usage | None:
        """None when it does not run. Takes up to 2 s where only the API can tell."""

    def usages(self, refs: Sequence[str]) -> Mapping[str, Usage]:
        """By docker_id, all at once; those that do not run, or did not answer, are left out. `refs` are docker_ids."""


class Images(Protocol):
    def inspect(self, ref: str) -> ImageInfo | None: ...

    def list(self, *, labels: Mapping[str, str] | None = None) -> Sequence[ImageInfo]: ...

    def history(self, ref: str) -> Sequence[ImageLayer]:
        """What it was made by, newest first; empty when there is no such image."""

    def build(self, spec: BuildSpec, *, stop: Callable[[], bool] | None = None) -> Iterator[BuildProgress]:
        """Lines as they happen; the last has `image_id`. `stop` is asked at least once a second; once it answers true, the
        build is ended. Raises BuildFailed, BuildStopped, EngineUnreachable."""

    def remove(self, ref: str) -> None:
        """Quiet when gone already. WrongState when a container uses it."""


class Networks(Protocol):
    def ensure(self, name: str, *, labels: Mapping[str, str]) -> str:
        """A bridge network without traffic between its containers; its id. Safe to call from many at once.
        Raises NameTaken if one of that name lets containers talk."""

    def gateway(self, name: str) -> str | None: ...

    def remove(self, name: str) -> None: ...


class Events(Protocol):
    def follow(self, *, stop: Callable[[], bool], labels: Mapping[str, str] | None = None) -> Iterator[EngineEvent]:
        """Container events for ever, reconnecting with back-off (0.5 s doubling to 10 s), until `stop()` is true
        (noticed within 1 s). Gives EngineEvent("connected") at each connect and EngineEvent("disconnected") at each loss."""


class Engine(Protocol):
    """One Docker Engine. Every method may raise EngineUnreachable."""

    @property
    def containers(self) -> Containers: ...

    @property
    def execs(self) -> Execs: ...

    @property
    def stats(self) -> Stats: ...

    @property
    def images(self) -> Images: ...

    @property
    def networks(self) -> Networks: ...

    @property
    def events(self) -> Events: ...

    def ping(self, *, timeout_seconds: float = 3) -> None:
        """Quiet when the Engine answers in time; else EngineUnreachable."""

    def info(self) -> EngineInfo: ...

    def disk_use(self) -> Sequence[DiskUse]:
        """As `docker system df`: images, containers, volumes and build cache. Slow where there is much of them."""

    def close(self) -> None: ...
