"""What the Engine says of containers and images, in our own words."""

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from projects.engine.base import Change, ContainerInfo, ContainerSummary, ImageInfo, Mount
from projects.states import ChangeKind, Health, Status

DEFAULT_CPU_PERIOD = 100_000
_NANO = 1_000_000_000
_CHANGES = (ChangeKind.CHANGED, ChangeKind.ADDED, ChangeKind.DELETED)
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)?")


def info_of(found: Mapping[str, Any]) -> ContainerInfo:
    """From the answer of an inspect."""
    state, config, host = found["State"], found["Config"], found["HostConfig"]
    health = state.get("Health") or {}
    outputs = [entry.get("Output", "") for entry in health.get("Log") or []]
    period, quota, nano = host.get("CpuPeriod") or DEFAULT_CPU_PERIOD, host.get("CpuQuota") or 0, host.get("NanoCpus") or 0
    return ContainerInfo(
        docker_id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image=config["Image"],
        image_id=found["Image"],
        status=_status(state["Status"]),
        health=_health(health.get("Status")),
        failing_streak=int(health.get("FailingStreak") or 0),
        health_output=outputs[-1] if outputs else "",
        exit_code=int(state["ExitCode"]) if state["Status"] in ("exited", "dead") else None,
        oom_killed=bool(state.get("OOMKilled")),
        error=state.get("Error") or "",
        created_at=time_of(found["Created"]) or datetime.fromtimestamp(0, UTC),
        started_at=time_of(state.get("StartedAt")),
        finished_at=time_of(state.get("FinishedAt")),
        labels=config.get("Labels") or {},
        mounts=tuple(
            Mount(mount["Source"], mount["Destination"], read_only=not mount.get("RW", True))
            for mount in found.get("Mounts") or []
            if mount.get("Type") == "bind"
        ),
        environment=dict(line.partition("=")[::2] for line in config.get("Env") or []),
        cpu_limit=quota / period if quota > 0 else (nano / _NANO if nano else None),
        memory_limit_bytes=host.get("Memory") or None,
        pids_limit=limit if (limit := host.get("PidsLimit") or 0) > 0 else None,
        restart_count=int(found.get("RestartCount") or 0),
        network_names=tuple((found.get("NetworkSettings") or {}).get("Networks") or {}),
    )


def summary_of(row: Mapping[str, Any]) -> ContainerSummary:
    """From one row of a list call. Its own name is the one without a further slash (links give more)."""
    names = [name.removeprefix("/") for name in row["Names"]]
    return ContainerSummary(
        docker_id=row["Id"],
        name=next((name for name in names if "/" not in name), names[0]),
        image=row["Image"],
        status=_status(row["State"]),
        health=_health_in_words(row.get("Status") or ""),
        created_at=datetime.fromtimestamp(row["Created"], UTC),
        labels=row.get("Labels") or {},
    )


def changes_of(text: bytes) -> Sequence[Change]:
    """From the answer of a diff. Each row becomes a Change as it is parsed, since there may be hundreds of thousands."""
    return json.loads(text, object_hook=lambda row: Change(row["Path"], _CHANGES[row["Kind"]])) or ()


def _status(word: str) -> Status:
    return Status(word) if word in set(Status) else Status.UNKNOWN


def _health(word: str | None) -> Health:
    return Health(word) if word in set(Health) else Health.NONE


def _health_in_words(text: str) -> Health:
    """The list call tells health only within its status text: "Up 2 hours (healthy)", "Up 1 second (health: starting)"."""
    found = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", text)
    return Health(found[1]) if found else Health.NONE


def time_of(text: str | None) -> datetime | None:
    """Aware UTC from RFC 3339 with nanoseconds; None for the Engine's "never" (year 1) and for what is no time."""
    found = _TIME.fullmatch(text or "")
    if found is None or found[1].startswith("0001-"):
        return None
    micros = (found[2] or "")[:6].ljust(6, "0")
    zone = found[3] if found[3] and found[3] != "Z" else "+00:00"
    return datetime.fromisoformat(f"{found[1]}.{micros}{zone}").astimezone(UTC)


def image_of(found: Mapping[str, Any]) -> ImageInfo:
    """From the answer of an inspect."""
    config = found.get("Config") or {}
    return ImageInfo(
        image_id=found["Id"],
        tags=tuple(found.get("RepoTags") or ()),
        created_at=time_of(found.get("Created")) or datetime.fromtimestamp(0, UTC),
        size_bytes=int(found.get("Size") or 0),
        labels=config.get("Labels") or {},
        user=config.get("User") or "",
        environment=dict(line.partition("=")[::2] for line in config.get("Env") or []),
    )
