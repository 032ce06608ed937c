"""The shapes of requests and answers. A request with a field that it does not know is refused."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import AwareDatetime, ConfigDict, Field

from projects.services.catalog import MEMORY_LIMIT_MB, PIDS_LIMIT
from projects.states import BuildState, Health, Role, RunState, Status, Wanted

SECONDS_LIMIT = 7 * 24 * 3600

Name = Annotated[str, Field(min_length=1, max_length=100, examples=["Website"])]
Path = Annotated[str, Field(min_length=1, max_length=1000, examples=["/srv/projects/website"])]
Image = Annotated[str, Field(max_length=255, description="Empty: the base image.", examples=[""])]
Cpus = Annotated[float, Field(ge=0.01, le=1024, allow_inf_nan=False, description="Cores.", examples=[4])]
MemoryMb = Annotated[int, Field(ge=6, le=MEMORY_LIMIT_MB, examples=[8192])]
Pids = Annotated[int, Field(ge=16, le=PIDS_LIMIT, examples=[1000])]
Environment = Annotated[dict[str, str], Field(description="Plain variables, readable by everyone.", examples=[{"TZ": "Europe/Berlin"}])]
ContainerId = Annotated[str, Field(description="The first 12 hex digits of Docker's id.", examples=["4f1c2a9b7d3e"])]


def _not_given() -> Any:
    """The default of a field that may be left out but not be null; such calls look at the fields that were set."""
    return None


class Request(Schema):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    def given(self) -> dict[str, Any]:
        """The fields that the caller sent."""
        return self.dict(exclude_unset=True)


class Problem(Schema):
    detail: str = Field(description="One sentence with the remedy.", examples=["There is no such project, or you are not a member of it."])


# -- projects -------------------------------------------------------------------------------


class ProjectIn(Request):
    name: Name
    path: Path
    image: Image = Field(default_factory=_not_given)
    cpu_limit: Cpus = Field(default_factory=_not_given)
    memory_limit_mb: MemoryMb = Field(default_factory=_not_given)
    pids_limit: Pids = Field(default_factory=_not_given)
    environment: Environment = Field(default_factory=_not_given)
    uses_host_credentials: bool = Field(default_factory=_not_given, description="Administrators only; on by default for theirs.")
    pinned: bool = Field(default_factory=_not_given, description="Never refreshed by itself.")


class ProjectPatch(Request):
    name: Name = Field(default_factory=_not_given)
    image: Image = Field(default_factory=_not_given)
    cpu_limit: Cpus = Field(default_factory=_not_given)
    memory_limit_mb: MemoryMb = Field(default_factory=_not_given)
    pids_limit: Pids = Field(default_factory=_not_given)
    environment: Environment = Field(default_factory=_not_given)
    uses_host_credentials: bool = Field(default_factory=_not_given, description="Administrators only.")
    pinned: bool = Field(default_factory=_not_given, description="Never refreshed by itself.")


class ProjectOut(Schema):
    slug: str
    name: str
    path: str
    image: str
    cpu_limit: float
    memory_limit_mb: int
    pids_limit: int
    environment: dict[str, str]
    uses_host_credentials: bool
    pinned: bool
    status: Status
    status_at: datetime
    health: Health
    health_at: datetime
    wanted: Wanted
    pending_action: str
    last_error: str
    created_at: datetime


class ProjectList(Schema):
    items: list[ProjectOut]
    next: str | None


# -- the container --------------------------------------------------------------------------


class ContainerAnswer(Schema):
    container_id: ContainerId | None
    status: str = Field(examples=["running"])


class Gone(Schema):
    status: Literal["stopped"]


class Limits(Schema):
    cpu: float | None
    memory_mb: int | None
    pids: int | None


class MountOut(Schema):
    source: str
    target: str
    read_only: bool


class ContainerOut(Schema):
    container_id: ContainerId | None
    status: Status = Field(description="As observed at `status_at`. none: never made, or removed by us; missing: removed from outside.")
    status_at: datetime
    health: Health
    health_at: datetime
    image: str | None
    created_at: datetime | None
    started_at: datetime | None
    limits: Limits | None
    mounts: list[MountOut]
    notes: list[str] = Field(description="What was left out when it was made, and why.")
    wanted: Wanted
    pending_action: str = Field(description="What is under way: start stop restart refresh remove, or nothing.")
    busy: bool = Field(description="It is not refreshed by itself meanwhile.")
    busy_reason: str
    next_refresh_at: datetime | None
    next_refresh_reason: str
    last_error: str


class StatsOut(Schema):
    status: str
    age_hours: float
    cpu_percent: float | None
    memory_usage_mb: float
    memory_limit_mb: float | None
    memory_percent: float | None
    disk_usage_percent: float | None
    pids: int
    network_rx_mb: float
    network_tx_mb: float


class HealthOut(Schema):
    healthy: bool
    reason: str = Field(examples=["Healthy"])


class CountOut(Schema):
    active: int


class CleanupIn(Request):
    dry_run: bool = True


class CleanupItem(Schema):
    name: str
    container_id: str
    project: str
    status: str
    removed: bool
    error: str


class CleanupOut(Schema):
    dry_run: bool
    items: list[CleanupItem]


class DiscoveredOut(Schema):
    path: str
    name: str
    owner_uid: int


class DiscoveredList(Schema):
    items: list[DiscoveredOut]
    next: str | None


# -- commands -------------------------------------------------------------------------------


class CommandIn(Request):
    command: str = Field(min_length=1, max_length=100_000, description="For bash -c, as claude.", examples=["git status --short"])
    workdir: str = Field("/workspace", min_length=1, max_length=1000)
    timeout: int | None = Field(None, ge=1, le=SECONDS_LIMIT, description="Seconds; null: the hub's default.")
    wait: bool = Field(True, description="false: answer 202 with the id at once.")


class CommandResult(Schema):
    id: UUID
    exit_code: int | None = Field(description="null where it is not known to be true.")
    stdout: str = Field(description="UTF-8; bytes that are none are replaced. Raw bytes: GET /api/commands/{id}/output")
    stderr: str
    timed_out: bool
    truncated: bool = Field(description="Only the end of the output is here.")
    duration_seconds: float
    state: RunState
    message: str


class CommandStarted(Schema):
    id: UUID


class CommandOut(Schema):
    id: UUID
    project: str
    command: str
    workdir: str
    purpose: str
    timeout_seconds: int
    state: RunState
    exit_code: int | None
    timed_out: bool
    killed: bool
    message: str
    output_bytes: int
    actor: str
    started_at: datetime
    finished_at: datetime | None
    duration_seconds: float | None


# -- people and credentials -----------------------------------------------------------------


class MemberIn(Request):
    username: str = Field(min_length=1, max_length=150, examples=["ada"])
    role: Role = Role.VIEWER


class MemberOut(Schema):
    username: str
    role: Role
    created_at: datetime


class MemberList(Schema):
    items: list[MemberOut]
    next: str | None


class GitCredentialIn(Request):
    host: str = Field(min_length=1, max_length=260, examples=["github.com"])
    token: str = Field(min_length=1, max_length=10_000, description="Write-only.")
    username: str = Field("x-access-token", min_length=1, max_length=100)


class GitCredentialOut(Schema):
    host: str
    username: str
    created_at: datetime


class GitCredentialList(Schema):
    items: list[GitCredentialOut]
    next: str | None


class TokenIn(Request):
    name: Name
    expires_at: AwareDatetime | None = Field(None, examples=["2030-01-31T12:00:00Z"])


class TokenOut(Schema):
    id: int
    name: str
    start: str = Field(description="Its first characters, to tell it by.")
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenMade(TokenOut):
    key: str = Field(description="Shown this once only.")


class TokenList(Schema):
    items: list[TokenOut]
    next: str | None


# -- events and images ----------------------------------------------------------------------


class EventOut(Schema):
    id: int
    at: datetime
    kind: str = Field(examples=["container.started"])
    project: str = Field(description="Its slug; empty where it is about the hub.")
    actor: str
    message: str
    details: dict[str, Any]


class EventList(Schema):
    items: list[EventOut]
    next: str | None


class ImageOut(Schema):
    image_id: str
    tags: list[str]
    created_at: datetime
    size_bytes: int
    claude: str = Field(description="uid:gid of the user claude in it; empty where unknown.", examples=["1001:1001"])
    variant_of: str = Field(description="The id of the image that it was made from; empty: of none of the hub's.")


class ImageList(Schema):
    items: list[ImageOut]
    next: str | None


class BuildIn(Request):
    no_cache: bool = False


class BuildOut(Schema):
    id: int
    tag: str
    state: BuildState
    step: int | None
    steps: int | None
    image_id: str
    message: str
    actor: str
    started_at: datetime
    finished_at: datetime | None


class BuildWithLog(BuildOut):
    log: str
    next_offset: int = Field(description="Send it as `offset` for what came after.")
