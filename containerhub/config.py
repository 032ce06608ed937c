"""Every `CONTAINERHUB_…` variable, with its type and default; a bad value is one clear line at start.

`load()` reads the environment once. Nothing else in the hub reads an environment variable of its own.
"""

import os
import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from containerhub.mail import mail_settings

BASE_DIR = Path(__file__).resolve().parent.parent
PREFIX = "CONTAINERHUB_"

_MEMORY = re.compile(r"^(\d+(?:\.\d+)?)\s*([bkmgt]?)b?$", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4}


def parse_memory(text: str | int) -> int:
    """Bytes of `8g`, `512m`, `1073741824`. Raises ValueError."""
    found = _MEMORY.match(str(text).strip())
    if not found:
        raise ValueError("must be a size such as 512m or 8g")
    return int(float(found[1]) * _UNITS[found[2].lower()])


class Config(BaseSettings):
    """The hub's settings. Units stand in the names."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="ignore", frozen=True)

    # where it serves
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    public_url: str = ""
    allowed_hosts: Annotated[list[str], NoDecode] = []
    trusted_proxies: Annotated[list[str], NoDecode] = []
    debug: bool = False

    # what it keeps
    data_dir: Path = BASE_DIR / "var"
    database_url: str = ""
    secret_key: str = ""
    encryption_keys: Annotated[list[str], NoDecode] = []
    admin_username: str = "admin"
    admin_password: str = ""

    # people
    invitation_days: int = Field(7, ge=1, le=365)
    require_second_factor: str = Field("none", pattern="^(none|administrators|everyone)$")

    # what containers are made from
    workspace_roots: Annotated[list[Path], NoDecode] = [Path("~/projects")]
    name_prefix: str = Field("claude-dev", pattern=r"^[a-z0-9][a-z0-9-]{0,30}$")
    base_image: str = "claude-dev-base:latest"
    node_version: str = "20"
    extra_ca_dir: Path = Path("/usr/local/share/ca-certificates")
    container_cpu_limit: float = Field(4, gt=0, le=1024)
    container_memory_limit: str = "8g"
    container_pids_limit: int = Field(1000, ge=16, le=1_000_000)
    start_period_seconds: int = Field(60, ge=1, le=3600)

    # what is lent
    claude_cli_path: str = ""
    claude_config_path: Path = Path("~/.claude")
    github_token: str = ""

    # commands
    run_timeout_seconds: int = Field(300, ge=1, le=7 * 24 * 3600)
    run_output_limit_mb: int = Field(1024, ge=1)
    run_answer_limit_mb: int = Field(10, ge=1, le=1024)
    run_free_disk_mb: int = Field(1024, ge=0)
    run_retention_days: int = Field(30, ge=1)
    runs_per_project: int = Field(20, ge=1)
    runs_in_all: int = Field(100, ge=1)

    # when a container is due
    refresh_mode: str = Field("act", pattern="^(act|suggest|off)$")
    refresh_age_hours: float = Field(72, gt=0)
    refresh_disk_percent: float = Field(80, gt=0, le=100)
    refresh_memory_percent: float = Field(90, gt=0, le=100)
    refresh_min_layer_mb: int = Field(1024, ge=0)

    # the Engine
    engine_timeout_seconds: float = Field(60, ge=1, le=3600)

    # mail and metrics
    email_url: str = ""
    email_from: str = "containerhub@localhost"
    metrics_token: str = ""
    log_format: str = Field("console", pattern="^(console|json)$")

    @field_validator("allowed_hosts", "trusted_proxies", "encryption_keys", mode="before")
    @classmethod
    def _comma_separated(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("workspace_roots", mode="before")
    @classmethod
    def _colon_separated(cls, value: object) -> object:
        return [Path(part) for part in value.split(":") if part] if isinstance(value, str) else value

    @field_validator("workspace_roots")
    @classmethod
    def _absolute_roots(cls, value: list[Path]) -> list[Path]:
        roots = [path.expanduser() for path in value]
        if not roots or not all(path.is_absolute() for path in roots):
            raise ValueError("must be absolute paths, colon-separated, for example /srv/projects:/home/me/projects")
        return roots

    @field_validator("data_dir", "claude_config_path", "extra_ca_dir")
    @classmethod
    def _expanded(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("container_memory_limit")
    @classmethod
    def _memory(cls, value: str) -> str:
        if parse_memory(value) < 6 * 1024**2:
            raise ValueError("must be at least 6m, the least that Docker takes")
        return value

    @field_validator("public_url")
    @classmethod
    def _origin(cls, value: str) -> str:
        if value and not re.match(r"^https?://[^/\s]+$", value.rstrip("/")):
            raise ValueError("must be scheme and host, for example https://hub.example.com")
        return value.rstrip("/")

    @field_validator("email_url")
    @classmethod
    def _mail_server(cls, value: str) -> str:
        if value:
            mail_settings(value)
        return value

    @property
    def container_memory_limit_bytes(self) -> int:
        return parse_memory(self.container_memory_limit)

    @property
    def url(self) -> str:
        return self.public_url or f"http://127.0.0.1:{self.port}"


_SECRET_WORDS = ("TOKEN", "KEY", "PASSWORD", "DATABASE", "EMAIL_URL")


def explain(error: ValidationError) -> str:
    """One line for each bad variable: its name, what is wrong, and the value unless it may be a secret."""
    lines = []
    for item in error.errors():
        name = PREFIX + str(item["loc"][0]).upper()
        shown = "" if any(word in name for word in _SECRET_WORDS) else f" (it is {item['input']!r})"
        lines.append(f"{name}: {item['msg'].removeprefix('Value error, ')}{shown}")
    return "\n".join(lines)


@lru_cache(maxsize=1)
def load() -> Config:
    """The settings from the environment; a bad one ends the process with a line that names it."""
    try:
        return Config()
    except ValidationError as error:
        sys.stderr.write(explain(error) + "\n")
        raise SystemExit(78) from None  # EX_CONFIG of sysexits.h


def in_tests() -> bool:
    return "PYTEST_VERSION" in os.environ
