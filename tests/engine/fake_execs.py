"""The fake Engine's execs and stats: commands answer as they are scripted."""

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Self

from projects.engine.base import MARKER_VARIABLE, Change, Chunk, ExecOutcome, ExecSpec, Sink, Usage
from projects.engine.errors import ConnectionLost, NoSuchObject, WrongState
from projects.states import Status, Stream

if TYPE_CHECKING:
    from tests.engine.fake import FakeEngine
    from tests.engine.fake_containers import FakeContainer

POLL_SECONDS = 0.01
TERMINATED = 143
MISSING = b"OCI runtime exec failed: exec failed: no such file or directory: unknown\r\n"


@dataclass(frozen=True)
class Script:
    """What a command does: it prints, echoes its stdin if `echo`, runs for `seconds`, and ends with `exit_code`.

    `changes` is what it leaves in the layer."""

    exit_code: int = 0
    stdout: bytes = b""
    stderr: bytes = b""
    seconds: float = 0
    echo: bool = False
    changes: tuple[Change, ...] = ()


@dataclass
class RunningExec:
    """An exec under way, until it ends by itself or is ended."""

    docker_id: str
    spec: ExecSpec
    script: Script
    began: float = field(default_factory=time.monotonic)
    input_over: bool = False
    _ended: int | None = None

    @property
    def marker(self) -> str:
        return self.spec.environment.get(MARKER_VARIABLE, "")

    def end(self, exit_code: int) -> None:
        if self._ended is None:
            self._ended = exit_code

    def exit_code(self) -> int | None:
        """None while it runs."""
        if self._ended is None and not self._waits_for_input() and time.monotonic() - self.began >= self.script.seconds:
            self._ended = self.script.exit_code
        return self._ended

    def _waits_for_input(self) -> bool:
        return self.script.echo and not self.input_over


class FakeExecs:
    """`Execs` in memory. A command's script is the one in `engine.scripts`, else what one of `engine.handlers` says,
    else a small set of its own; any other command succeeds and prints nothing."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine

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
        self._engine.called("execs.run", ref=ref, spec=spec)
        exec_id, under_way = self.begin(ref, spec)
        if started:
            started(exec_id)
        script = under_way.script
        for stream, data in ((Stream.STDOUT, script.stdout), (Stream.STDERR, script.stderr)):
            if data:
                sink(Stream.STDOUT if spec.tty else stream, memoryview(data[: len(data) // 2] if self._engine.losing else data))
        under_way.input_over = True
        timed_out = stopped = False
        while not self._engine.losing and under_way.exit_code() is None:
            timed_out = timeout_seconds is not None and time.monotonic() - under_way.began >= timeout_seconds
            stopped = not timed_out and stop is not None and stop()
            if timed_out or stopped:
                break
            time.sleep(POLL_SECONDS)
        over = not (timed_out or stopped or self._engine.losing)
        return ExecOutcome(
            exec_id=exec_id,
            exit_code=under_way.exit_code() if over else None,
            timed_out=timed_out,
            stopped=stopped,
            connection_lost=self._engine.losing,
            duration_seconds=time.monotonic() - under_way.began,
        )

    def open(self, ref: str, spec: ExecSpec) -> "FakeExecStream":
        return FakeExecStream(self._engine, ref, spec)

    def kill(self, ref: str, marker: str, *, grace_seconds: float = 3) -> bool:
        self._engine.called("execs.kill", ref=ref, marker=marker)
        box = self._engine.containers.find(ref)
        for under_way in list(self._engine.running.values()):
            if box is not None and under_way.docker_id == box.docker_id and under_way.marker == marker:
                under_way.end(TERMINATED)
        self._engine.did("execs.kill", ref=ref, marker=marker)
        return True

    def begin(self, ref: str, spec: ExecSpec) -> tuple[str, RunningExec]:
        box = self._engine.containers.find(ref)
        if box is None:
            raise NoSuchObject(f"No such container: {ref}.")
        if box.status is not Status.RUNNING:
            raise WrongState(f"Container {box.name} is not running; start it, then try again.")
        exec_id = self._engine.new_id()
        under_way = self._engine.running[exec_id] = RunningExec(box.docker_id, spec, self._script(box, spec))
        return exec_id, under_way

    def _script(self, box: "FakeContainer", spec: ExecSpec) -> Script:
        known = self._engine.scripts.get(spec.command)
        if known is not None:
            return known
        for handler in reversed(self._engine.handlers):
            found = handler(box, spec)
            if found is not None:
                return found
        return _own(spec)


def _own(spec: ExecSpec) -> Script:
    match spec.command:
        case ("echo", *words):
            return Script(stdout=" ".join(words).encode() + b"\n")
        case ("false",):
            return Script(exit_code=1)
        case ("sleep", seconds):
            return Script(seconds=float(seconds))
        case ("cat",) | ("sh",) | ("bash",):
            return Script(echo=True)
        case ("sh" | "bash", "-c", line) if line.startswith("exit ") and line[5:].isdigit():
            return Script(exit_code=int(line[5:]) & 0xFF)
        case (path, *_) if path.startswith("/no/"):
            return Script(exit_code=126, stdout=MISSING)
    return Script()


class FakeExecStream:
    """`ExecStream` in memory."""

    def __init__(self, engine: "FakeEngine", ref: str, spec: ExecSpec) -> None:
        self._engine, self._ref, self._spec = engine, ref, spec
        self.exec_id = ""
        self.sizes: list[tuple[int, int]] = [(spec.cols, spec.rows)]
        self.closed = False
        self._waiting: list[Chunk] = []
        self._lock = threading.Lock()

    async def __aenter__(self) -> Self:
        self._engine.called("execs.open", ref=self._ref, spec=self._spec)
        self.exec_id, self._under_way = self._engine.execs.begin(self._ref, self._spec)
        script = self._under_way.script
        for stream, data in ((Stream.STDOUT, script.stdout), (Stream.STDERR, script.stderr)):
            if data:
                self._waiting.append(Chunk(Stream.STDOUT if self._spec.tty else stream, data))
        self._under_way.input_over = not self._spec.stdin
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def read(self) -> Chunk | None:
        while True:
            with self._lock:
                if self._waiting:
                    return self._waiting.pop(0)
            if self.closed or self._engine.losing or self._under_way.exit_code() is not None:
                return None
            await asyncio.sleep(POLL_SECONDS)

    def held(self) -> AbstractContextManager[None]:
        return nullcontext()

    async def write(self, data: bytes) -> None:
        if self.closed or self._engine.losing:
            raise ConnectionLost("The connection to the Docker Engine broke; open the terminal again.")
        if self._under_way.script.echo:
            with self._lock:
                self._waiting.append(Chunk(Stream.STDOUT, data))
        if self._spec.tty and data in (b"exit\n", b"exit\r", b"\x04"):
            self._under_way.input_over = True

    async def half_close(self) -> None:
        self._under_way.input_over = True

    async def resize(self, *, cols: int, rows: int) -> None:
        self.sizes.append((cols, rows))

    async def wait(self) -> int:
        code = None if self._engine.losing else self._under_way.exit_code()
        if code is None:
            raise ConnectionLost("The connection to the Docker Engine broke before the command's end was confirmed.")
        return code

    async def close(self) -> None:
        self.closed = True


class FakeStats:
    """`Stats` in memory; `engine.usages[<name or id>]` holds the fields of Usage that a test sets."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine

    def usage(self, ref: str) -> Usage | None:
        self._engine.called("stats.usage", ref=ref)
        return self._usage(ref)

    def usages(self, refs: Sequence[str]) -> Mapping[str, Usage]:
        self._engine.called("stats.usages", refs=refs)
        found = (self._usage(ref) for ref in refs)
        return {usage.docker_id: usage for usage in found if usage is not None}

    def _usage(self, ref: str) -> Usage | None:
        box = self._engine.containers.find(ref)
        if box is None or box.status is not Status.RUNNING:
            return None
        fields = {
            "cpu_percent": 1.5,
            "memory_bytes": 10 << 20,
            "memory_limit_bytes": box.spec.memory_limit_bytes,
            "pids": 2,
            "network_rx_bytes": 1000,
            "network_tx_bytes": 500,
            "cpu_seconds": 1.0,
        }
        set_by_test = self._engine.usages.get(box.docker_id) or self._engine.usages.get(box.name) or {}
        return Usage(docker_id=box.docker_id, read_at=datetime.now(UTC), **{**fields, **set_by_test})
