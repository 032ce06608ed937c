"""What the Engine says of containers and images, in our own words."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from projects.engine.base import Change, ContainerInfo, ContainerSummary, DiskUse, ImageInfo, Mount
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


def disk_use_of(found: Mapping[str, Any]) -> list[DiskUse]:
    """From the answer of `system df`. Layers that images share are counted once, as the Engine counts them in all."""
    images = found.get("Images") or []
    used_images = [row for row in images if int(row.get("Containers") or 0) > 0]
    layers = int(found.get("LayersSize") or 0)
    alone = sum(int(row.get("Size") or 0) - max(0, int(row.get("SharedSize") or 0)) for row in images if row not in used_images)
    containers = found.get("Containers") or []
    stopped = [row for row in containers if row.get("State") not in ("running", "paused", "restarting")]
    volumes = found.get("Volumes") or []
    lost = [row for row in volumes if not (row.get("UsageData") or {}).get("RefCount")]
    cache = found.get("BuildCache") or []
    idle = [row for row in cache if not row.get("InUse")]
    in_use = (len(used_images), len(containers) - len(stopped), len(volumes) - len(lost), len(cache) - len(idle))
    return [
        DiskUse("images", len(images), in_use[0], layers, min(layers, alone) if used_images else layers),
        DiskUse("containers", len(containers), in_use[1], _sum(containers, "SizeRw"), _sum(stopped, "SizeRw")),
        DiskUse("volumes", len(volumes), in_use[2], _volume_bytes(volumes), _volume_bytes(lost)),
        DiskUse("build cache", len(cache), in_use[3], _sum(cache, "Size"), _sum(idle, "Size")),
    ]


def _sum(rows: Iterable[Mapping[str, Any]], key: str) -> int:
    return sum(max(0, int(row.get(key) or 0)) for row in rows)


def _volume_bytes(rows: Iterable[Mapping[str, Any]]) -> int:
    """-1 stands for a driver that cannot tell."""
    return _sum(((row.get("UsageData") or {}) for row in rows), "Size")
