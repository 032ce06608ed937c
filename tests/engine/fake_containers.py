"""The fake Engine's containers."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from projects.engine.base import Change, ContainerInfo, ContainerSpec, ContainerSummary, Process
from projects.engine.errors import ConnectionLost, NameTaken, NoSuchObject, Refused, WrongState
from projects.states import Health, Status

if TYPE_CHECKING:
    from tests.engine.fake import FakeEngine

BUILT_IN_NETWORKS = ("", "bridge", "host", "none")
FORCED = 137


@dataclass
class FakeContainer:
    """One container; a test may set `health`, `failing_streak`, `health_output`, `layer_bytes`, `changes`, `log`, the times."""

    spec: ContainerSpec
    docker_id: str
    image_id: str
    name: str
    status: Status = Status.CREATED
    health: Health = Health.NONE
    failing_streak: int = 0
    health_output: str = ""
    exit_code: int | None = None
    oom_killed: bool = False
    error: str = ""
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    started_at: datetime | None = None
    finished_at: datetime | None = None
    restart_count: int = 0
    log: bytes = b""
    layer_bytes: int = 0
    changes: tuple[Change, ...] = ()
    processes: tuple[Process, ...] = ()

    def info(self) -> ContainerInfo:
        spec = self.spec
        return ContainerInfo(
            docker_id=self.docker_id,
            name=self.name,
            image=spec.image,
            image_id=self.image_id,
            status=self.status,
            health=self.health,
            failing_streak=self.failing_streak,
            health_output=self.health_output,
            exit_code=self.exit_code,
            oom_killed=self.oom_killed,
            error=self.error,
            created_at=self.created_at,
            started_at=self.started_at,
            finished_at=self.finished_at,
            labels=dict(spec.labels),
            mounts=spec.mounts,
            environment=dict(spec.environment),
            cpu_limit=spec.cpu_limit,
            memory_limit_bytes=spec.memory_limit_bytes,
            pids_limit=spec.pids_limit,
            restart_count=self.restart_count,
            network_names=(spec.network or "bridge",),
        )

    def summary(self) -> ContainerSummary:
        return ContainerSummary(
            docker_id=self.docker_id,
            name=self.name,
            image=self.spec.image,
            status=self.status,
            health=self.health,
            created_at=self.created_at,
            labels=dict(self.spec.labels),
        )


class FakeContainers:
    """`Containers` in memory."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine

    # -- the protocol -----------------------------------------------------------------------

    def create(self, spec: ContainerSpec) -> str:
        self._engine.called("containers.create", spec=spec)
        with self._engine.lock:
            image = self._engine.images.find(spec.image)
            if image is None:
                raise NoSuchObject(f"No such image: {spec.image}.")
            self._check_free(spec.name)
            for mount in spec.mounts:
                if not Path(mount.source).exists():
                    raise Refused(f"The Docker Engine refused: bind source path does not exist: {mount.source}.")
            box = FakeContainer(spec, self._engine.new_id(), image.image_id, spec.name)
            self._engine.boxes[box.docker_id] = box
            self._engine.events.emit("create", box)
        self._engine.did("containers.create", spec=spec, docker_id=box.docker_id)
        return box.docker_id

    def start(self, ref: str) -> None:
        self._engine.called("containers.start", ref=ref)
        with self._engine.lock:
            box = self._found(ref)
            if box.status is not Status.RUNNING:
                self._begin(box)
        self._engine.did("containers.start", ref=ref)

    def stop(self, ref: str, *, grace_seconds: int = 10) -> None:
        self._engine.called("containers.stop", ref=ref, grace_seconds=grace_seconds)
        with self._engine.lock:
            box = self.find(ref)
            if box is not None and box.status in (Status.RUNNING, Status.PAUSED, Status.RESTARTING):
                self.end(box, exit_code=143)
                self._engine.events.emit("stop", box)
        self._engine.did("containers.stop", ref=ref)

    def restart(self, ref: str, *, grace_seconds: int = 10) -> None:
        self._engine.called("containers.restart", ref=ref, grace_seconds=grace_seconds)
        with self._engine.lock:
            box = self._found(ref)
            if box.status in (Status.RUNNING, Status.PAUSED, Status.RESTARTING):
                self.end(box, exit_code=143)
            self._begin(box)
            self._engine.events.emit("restart", box)
        self._engine.did("containers.restart", ref=ref)

    def remove(self, ref: str, *, force: bool = False) -> None:
        self._engine.called("containers.remove", ref=ref, force=force)
        with self._engine.lock:
            box = self.find(ref)
            if box is not None:
                if box.status in (Status.RUNNING, Status.PAUSED, Status.RESTARTING) and not force:
                    raise WrongState(f"You cannot remove a running container {box.docker_id}. Stop it first.")
                self.forget(box)
        self._engine.did("containers.remove", ref=ref)

    def rename(self, ref: str, name: str) -> None:
        self._engine.called("containers.rename", ref=ref, name=name)
        with self._engine.lock:
            box = self._found(ref)
            if box.name != name:
                self._check_free(name)
                box.name = name
                self._engine.events.emit("rename", box)
        self._engine.did("containers.rename", ref=ref, name=name)

    def inspect(self, ref: str) -> ContainerInfo | None:
        self._engine.called("containers.inspect", ref=ref)
        with self._engine.lock:
            box = self.find(ref)
            return box.info() if box else None

    def list(self, *, labels: Mapping[str, str] | None = None, running_only: bool = False) -> Sequence[ContainerSummary]:
        self._engine.called("containers.list", labels=labels, running_only=running_only)
        with self._engine.lock:
            return [
                box.summary()
                for box in self._engine.boxes.values()
                if all(box.spec.labels.get(key) == value for key, value in (labels or {}).items())
                and (box.status is Status.RUNNING or not running_only)
            ]

    def logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> bytes:
        self._engine.called("containers.logs", ref=ref)
        lines = self._found(ref).log.splitlines(keepends=True)
        if timestamps:
            lines = [b"2026-01-01T00:00:00.000000000Z " + line for line in lines]
        return b"".join(lines if tail is None else lines[len(lines) - min(tail, len(lines)) :])

    def follow_logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> Iterator[bytes]:
        yield self.logs(ref, tail=tail, since=since, timestamps=timestamps)
        if self._engine.losing:
            raise ConnectionLost("The connection to the Docker Engine broke in the middle; try again.")

    def processes(self, ref: str) -> Sequence[Process]:
        self._engine.called("containers.processes", ref=ref)
        box = self._found(ref)
        if box.status is not Status.RUNNING:
            raise WrongState(f"Container {box.name} is not running.")
        return box.processes or (Process(1, "claude", 0.0, " ".join(box.spec.command) or "init"),)

    def layer_bytes(self, ref: str) -> int:
        self._engine.called("containers.layer_bytes", ref=ref)
        return self._found(ref).layer_bytes

    def changes(self, ref: str, *, timeout_seconds: float = 60) -> Sequence[Change]:
        self._engine.called("containers.changes", ref=ref, timeout_seconds=timeout_seconds)
        return self._found(ref).changes

    # -- for the other parts ----------------------------------------------------------------

    def find(self, ref: str) -> FakeContainer | None:
        """By id or exact name."""
        return next((box for box in self._engine.boxes.values() if ref in (box.docker_id, box.name)), None)

    def end(self, box: FakeContainer, *, exit_code: int, oom: bool = False) -> None:
        """The main process ended, and every exec with it."""
        box.status, box.exit_code, box.oom_killed = Status.EXITED, exit_code, oom
        box.finished_at = datetime.now(UTC)
        box.health = Health.NONE if box.spec.healthcheck is None else Health.UNHEALTHY
        for exec_ in self._engine.running.values():
            if exec_.docker_id == box.docker_id:
                exec_.end(FORCED)
        if oom:
            self._engine.events.emit("oom", box)
        self._engine.events.emit("die", box, exitCode=str(exit_code))

    def forget(self, box: FakeContainer) -> None:
        """Removed, running or not."""
        with self._engine.lock:
            if box.status in (Status.RUNNING, Status.PAUSED, Status.RESTARTING):
                self.end(box, exit_code=FORCED)
            self._engine.boxes.pop(box.docker_id, None)
            self._engine.events.emit("destroy", box)

    def _begin(self, box: FakeContainer) -> None:
        if box.spec.network not in BUILT_IN_NETWORKS and not self._engine.networks.has(box.spec.network):
            raise Refused(f"The Docker Engine refused: network {box.spec.network} not found.")
        if box.status is not Status.PAUSED:
            box.started_at, box.failing_streak = datetime.now(UTC), 0
            box.health = Health.STARTING if box.spec.healthcheck else Health.NONE
        box.status, box.exit_code, box.finished_at = Status.RUNNING, None, None
        self._engine.events.emit("start", box)
        script = self._engine.scripts.get(box.spec.command)
        if script is not None:
            box.log += script.stdout + script.stderr
            box.changes += script.changes
            if script.seconds <= 0:
                self.end(box, exit_code=script.exit_code)

    def _found(self, ref: str) -> FakeContainer:
        box = self.find(ref)
        if box is None:
            raise NoSuchObject(f"No such container: {ref}.")
        return box

    def _check_free(self, name: str) -> None:
        other = self.find(name)
        if other is not None:
            raise NameTaken(f'The name is taken: the container name "/{name}" is already in use by container {other.docker_id}.')
