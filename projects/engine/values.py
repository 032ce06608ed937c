"""What crosses the Engine's border: frozen dataclasses, asked for and observed. No Django here, and no word of the Docker SDK."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from projects.states import ChangeKind, Health, Status, Stream

# -- asked for ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mount:
    """A bind mount. A missing source is an error, never a directory made by the Engine."""

    source: str
    target: str
    read_only: bool = False


@dataclass(frozen=True)
class HealthCheck:
    test: tuple[str, ...]
    interval_seconds: float = 60
    timeout_seconds: float = 10
    retries: int = 3
    start_period_seconds: float = 60


@dataclass(frozen=True)
class ContainerSpec:
    """All that a container is made from. `cpu_limit` in cores, memory in bytes; swap equals memory."""

    name: str
    image: str
    command: tuple[str, ...] = ()
    user: str = ""
    working_dir: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    mounts: tuple[Mount, ...] = ()
    cpu_limit: float | None = None
    memory_limit_bytes: int | None = None
    pids_limit: int | None = None
    nofile_soft: int | None = None
    nofile_hard: int | None = None
    healthcheck: HealthCheck | None = None
    network: str = ""
    init: bool = True
    restart_policy: str = "unless-stopped"
    cap_drop: tuple[str, ...] = ()
    log_max_size_mb: int = 10
    log_max_files: int = 3
    hostname: str = ""


@dataclass(frozen=True)
class ExecSpec:
    """A process to run in a container. `environment` is where secrets may stand; it shows in no inspect."""

    command: tuple[str, ...]
    user: str = "claude"
    working_dir: str = "/workspace"
    environment: Mapping[str, str] = field(default_factory=dict)
    tty: bool = False
    stdin: bool = False
    cols: int = 80
    rows: int = 24


@dataclass(frozen=True)
class BuildSpec:
    """An image build. `context` is a directory; `dockerfile` is relative to it; `files` are added to the
    context (path in the context -> bytes)."""

    context: Path
    tag: str
    dockerfile: str = "Dockerfile"
    build_args: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, bytes] = field(default_factory=dict)
    no_cache: bool = False
    pull: bool = False


# -- observed -------------------------------------------------------------------------------


@dataclass(frozen=True)
class ContainerSummary:
    """One row of a list call: cheap, enough to reconcile."""

    docker_id: str
    name: str
    image: str
    status: Status
    health: Health
    created_at: datetime
    labels: Mapping[str, str]


@dataclass(frozen=True)
class ContainerInfo:
    """One inspected container. Times are aware UTC, or None where the Engine says "never"."""

    docker_id: str
    name: str
    image: str
    image_id: str
    status: Status
    health: Health
    failing_streak: int
    health_output: str
    exit_code: int | None
    oom_killed: bool
    error: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    labels: Mapping[str, str]
    mounts: tuple[Mount, ...]
    environment: Mapping[str, str]
    cpu_limit: float | None
    memory_limit_bytes: int | None
    pids_limit: int | None
    restart_count: int
    network_names: tuple[str, ...]

    @property
    def short_id(self) -> str:
        return self.docker_id[:12]

    @property
    def running(self) -> bool:
        return self.status is Status.RUNNING


@dataclass(frozen=True)
class Usage:
    """What a running container used at `read_at`. Memory is without the page cache; counters are totals.

    `cpu_percent` counts 100 per core, from two samples; `cpu_seconds` is a total since its start. Limits are None where the
    container has none of its own.
    """

    docker_id: str
    read_at: datetime
    cpu_percent: float | None
    memory_bytes: int
    memory_limit_bytes: int | None
    pids: int
    network_rx_bytes: int
    network_tx_bytes: int
    cpu_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """One path of a container's own layer that differs from its image."""

    path: str
    kind: ChangeKind


@dataclass(frozen=True)
class Process:
    pid: int
    user: str
    cpu_seconds: float
    command: str


@dataclass(frozen=True)
class ImageInfo:
    image_id: str
    tags: tuple[str, ...]
    created_at: datetime
    size_bytes: int
    labels: Mapping[str, str]
    user: str
    environment: Mapping[str, str]


@dataclass(frozen=True)
class ImageLayer:
    """One step that an image was made by, newest first; the Engine keeps no id for most of them."""

    created_at: datetime
    created_by: str
    size_bytes: int


@dataclass(frozen=True)
class DiskUse:
    """One kind of thing on the Engine's disk: how many, how many in use, all of it, and what removing the unused would free."""

    kind: str
    count: int
    in_use: int
    size_bytes: int
    reclaimable_bytes: int


@dataclass(frozen=True)
class BuildProgress:
    """One line of a build as it happens. `image_id` is set on the last one only."""

    line: str
    step: int | None = None
    steps: int | None = None
    image_id: str | None = None


@dataclass(frozen=True)
class EngineEvent:
    """A hint that something happened. `kind` is "connected" at each (re)connect: reconcile then.

    Otherwise it is the Engine's action for a container: create start die oom health_status destroy rename …
    """

    kind: str
    docker_id: str = ""
    at: datetime | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class EngineInfo:
    version: str
    api_version: str
    base_url: str
    is_local: bool  # a unix socket on this host, so paths here are paths there
    cpus: int
    memory_bytes: int
    root_dir: str
    storage_driver: str
    cgroup_version: str
    operating_system: str


# -- execs ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chunk:
    stream: Stream
    data: bytes


@dataclass(frozen=True)
class ExecOutcome:
    """How an exec ended. `exit_code` is an int only when the Engine confirmed the end.

    `timed_out`, `stopped` (the caller's `stop` said so) and `connection_lost` exclude one another.
    """

    exec_id: str
    exit_code: int | None
    timed_out: bool
    stopped: bool
    connection_lost: bool
    duration_seconds: float
