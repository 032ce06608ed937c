"""Projects, and directories that could be some."""

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from projects.api.schemas.base import Name, Request, not_given
from projects.services.catalog import MEMORY_LIMIT_MB, PIDS_LIMIT
from projects.services.decisions.quiet import QUIET_PATTERN
from projects.services.git_credentials import TOKEN_MAX_CHARACTERS
from projects.services.git_url import MOST_CHARACTERS
from projects.states import CloneState, Health, Status, Wanted

Path = Annotated[str, Field(min_length=1, max_length=1000, examples=["/srv/projects/website"])]
Image = Annotated[str, Field(max_length=255, description="Empty: the base image.", examples=[""])]
Cpus = Annotated[float, Field(ge=0.01, le=1024, allow_inf_nan=False, description="Cores.", examples=[4])]
MemoryMb = Annotated[int, Field(ge=6, le=MEMORY_LIMIT_MB, examples=[8192])]
Pids = Annotated[int, Field(ge=16, le=PIDS_LIMIT, examples=[1000])]
Environment = Annotated[dict[str, str], Field(description="Plain variables, readable by everyone.", examples=[{"TZ": "Europe/Berlin"}])]
HubsOwn = "null: the hub's own."
Hours = Annotated[float, Field(ge=1, le=24 * 366, allow_inf_nan=False, examples=[72])]
Percent = Annotated[float, Field(ge=1, le=100, allow_inf_nan=False, examples=[90])]
Mode = Annotated[
    Literal["", "act", "suggest", "off"], Field(description="Whether the hub refreshes by itself. Empty: the hub's own.", examples=["act"])
]
QuietHours = Annotated[
    str,
    Field(
        max_length=11,
        pattern=rf"^(?:{QUIET_PATTERN})?$",
        description="UTC. Refreshes for age, memory and disk are done then only. Empty: at any time.",
        examples=["22:00-06:00"],
    ),
]


class RefreshSettings(Request):
    """When a project's container is refreshed by itself."""

    refresh_mode: Mode = Field(default_factory=not_given)
    refresh_age_hours: Hours | None = Field(default_factory=not_given, description=HubsOwn)
    refresh_memory_percent: Percent | None = Field(default_factory=not_given, description=HubsOwn)
    refresh_disk_percent: Percent | None = Field(default_factory=not_given, description=HubsOwn)
    refresh_quiet_hours: QuietHours = Field(default_factory=not_given)
    refresh_hard_limit_hours: Hours | None = Field(
        default_factory=not_given, description="So long after it fell due it is refreshed although busy; null: never."
    )


class ProjectIn(RefreshSettings):
    name: Name
    path: Path
    image: Image = Field(default_factory=not_given)
    cpu_limit: Cpus = Field(default_factory=not_given)
    memory_limit_mb: MemoryMb = Field(default_factory=not_given)
    pids_limit: Pids = Field(default_factory=not_given)
    environment: Environment = Field(default_factory=not_given)
    uses_host_credentials: bool = Field(default_factory=not_given, description="Administrators only; on by default for theirs.")
    pinned: bool = Field(default_factory=not_given, description="Never refreshed by itself.")


class CloneIn(Request):
    url: Annotated[str, Field(min_length=1, max_length=MOST_CHARACTERS, examples=["https://github.com/team/site.git"])]
    name: Name = Field(default_factory=not_given, description="Empty: the repository's.")
    path: Path = Field(default_factory=not_given, description="Where it is to stand. Empty: below the first workspace root.")
    token: str = Field(
        default_factory=not_given,
        max_length=TOKEN_MAX_CHARACTERS,
        description="For a private repository over https; becomes the project's git token for that host.",
    )
    ensure: bool = Field(default_factory=not_given, description="Make and start its container then. On by default.")
    image: Image = Field(default_factory=not_given)
    cpu_limit: Cpus = Field(default_factory=not_given)
    memory_limit_mb: MemoryMb = Field(default_factory=not_given)
    uses_host_credentials: bool = Field(default_factory=not_given, description="Administrators only; on by default for theirs.")


class CloneOut(Schema):
    id: int
    url: str
    name: str
    path: str
    state: CloneState
    message: str
    output: str = Field(description="The end of what git said.")
    project: str | None = Field(description="The slug of the project that it became.")
    actor: str
    created_at: datetime
    finished_at: datetime | None


class ProjectPatch(RefreshSettings):
    name: Name = Field(default_factory=not_given)
    image: Image = Field(default_factory=not_given)
    cpu_limit: Cpus = Field(default_factory=not_given)
    memory_limit_mb: MemoryMb = Field(default_factory=not_given)
    pids_limit: Pids = Field(default_factory=not_given)
    environment: Environment = Field(default_factory=not_given)
    uses_host_credentials: bool = Field(default_factory=not_given, description="Administrators only.")
    pinned: bool = Field(default_factory=not_given, description="Never refreshed by itself.")


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
    refresh_mode: str
    refresh_age_hours: float | None
    refresh_memory_percent: float | None
    refresh_disk_percent: float | None
    refresh_quiet_hours: str
    refresh_hard_limit_hours: float | None
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


class DiscoveredOut(Schema):
    path: str
    name: str
    owner_uid: int


class DiscoveredList(Schema):
    items: list[DiscoveredOut]
    next: str | None
