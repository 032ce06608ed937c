"""Containers: every call may be repeated, since 404 and 409 say that its work is done already."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import docker.types

from projects.engine.base import ContainerInfo, ContainerSpec, ContainerSummary, Mount, Process
from projects.engine.errors import NoSuchObject, WrongState
from projects.engine.logs import follow_logs, read_logs
from projects.engine.translate import translated
from projects.states import Health, Status

if TYPE_CHECKING:
    from projects.engine.connection import Connection

CPU_PERIOD_MICROSECONDS = 100_000
REMOVE_SECONDS = 10
_NANO = 1_000_000_000


class DockerContainers:
    """`Containers` of projects.engine.base, over the SDK's low-level client."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def create(self, spec: ContainerSpec) -> str:
        client = self._connection.client()
        with translated(self._connection.base_url):
            made = client.create_container(**_create_arguments(client, spec))
        return str(made["Id"])

    def start(self, ref: str) -> None:
        client = self._connection.client()
        found = self.inspect(ref)
        if found is not None and found.status is Status.PAUSED:
            with translated(self._connection.base_url):
                client.unpause(ref)
            return
        with translated(self._connection.base_url):
            client.start(ref)

    def stop(self, ref: str, *, grace_seconds: int = 10) -> None:
        client = self._connection.client()
        try:
            found = self.inspect(ref)
            if found is not None and found.status is Status.PAUSED:
                with translated(self._connection.base_url):
                    client.unpause(ref)
            with translated(self._connection.base_url):
                client.stop(ref, timeout=grace_seconds)
        except (NoSuchObject, WrongState):
            pass  # gone, or going already

    def restart(self, ref: str, *, grace_seconds: int = 10) -> None:
        client = self._connection.client()
        found = self.inspect(ref)
        with translated(self._connection.base_url):
            if found is not None and found.status is Status.PAUSED:
                client.unpause(ref)
            client.restart(ref, timeout=grace_seconds)

    def remove(self, ref: str, *, force: bool = False) -> None:
        client = self._connection.client()
        found = self.inspect(ref)
        if found is None:
            return
        try:
            with translated(self._connection.base_url):
                client.remove_container(found.docker_id, v=True, force=force)
        except NoSuchObject:
            return
        except WrongState as error:
            if "already in progress" not in str(error):
                raise
        self._wait_until_gone(found.docker_id)

    def rename(self, ref: str, name: str) -> None:
        found = self.inspect(ref)
        if found is not None and found.name == name:
            return
        client = self._connection.client()
        with translated(self._connection.base_url):
            client.rename(ref, name)

    def inspect(self, ref: str) -> ContainerInfo | None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                found = client.inspect_container(ref)
        except NoSuchObject:
            return None
        info = info_of(found)
        # The Engine also answers for the beginning of an id.
        return info if ref in (info.docker_id, info.name, info.short_id) else None

    def list(self, *, labels: Mapping[str, str] | None = None, running_only: bool = False) -> Sequence[ContainerSummary]:
        client = self._connection.client()
        filters = {"label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        with translated(self._connection.base_url):
            rows = client.containers(all=not running_only, filters=filters)
        return [summary_of(row) for row in rows if row.get("Names")]

    def logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> bytes:
        return read_logs(self._connection, ref, tail=tail, since=since, timestamps=timestamps)

    def follow_logs(
        self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False
    ) -> Iterator[bytes]:
        return follow_logs(self._connection, ref, tail=tail, since=since, timestamps=timestamps)

    def processes(self, ref: str) -> Sequence[Process]:
        client = self._connection.client()
        with translated(self._connection.base_url):
            found = client.top(ref, ps_args="-eo pid,user,cputimes,args")
        columns = [title.upper() for title in found["Titles"]]
        pid, user, seconds = (columns.index(title) for title in ("PID", "USER", "TIME"))
        return [
            Process(pid=int(row[pid]), user=row[user], cpu_seconds=float(row[seconds]), command=row[-1]) for row in found["Processes"] or []
        ]

    def layer_bytes(self, ref: str) -> int:
        client = self._connection.client()
        with translated(self._connection.base_url):
            response = client._get(client._url("/containers/{0}/json", ref), params={"size": 1})  # the SDK has no argument for it
            found = client._result(response, json=True)
        return int(found.get("SizeRw") or 0)

    def _wait_until_gone(self, docker_id: str) -> None:
        """A removal may go on in the background; the name is free only after it."""
        deadline = time.monotonic() + REMOVE_SECONDS
        while self.inspect(docker_id) is not None:
            if time.monotonic() > deadline:
                raise WrongState(f"The container {docker_id[:12]} is still being removed; try again in a minute.")
            time.sleep(0.05)


# -- asked for, in the Engine's words -------------------------------------------------------


def _create_arguments(client: Any, spec: ContainerSpec) -> dict[str, Any]:
    return {
        "image": spec.image,
        "command": list(spec.command) or None,
        "name": spec.name,
        "hostname": spec.hostname or None,
        "user": spec.user or None,
        "working_dir": spec.working_dir or None,
        "environment": dict(spec.environment),
        "labels": dict(spec.labels),
        "healthcheck": _healthcheck(spec),
        "host_config": _host_config(client, spec),
        "networking_config": client.create_networking_config({spec.network: client.create_endpoint_config()}) if spec.network else None,
    }


def _healthcheck(spec: ContainerSpec) -> Any:
    check = spec.healthcheck
    if check is None:
        return None
    return docker.types.Healthcheck(
        test=list(check.test),
        interval=int(check.interval_seconds * _NANO),
        timeout=int(check.timeout_seconds * _NANO),
        retries=check.retries,
        start_period=int(check.start_period_seconds * _NANO),
    )


def _host_config(client: Any, spec: ContainerSpec) -> Any:
    """`cpu_quota` and not NanoCpus, which hosts with fewer cores refuse; Mounts and not Binds, which make a missing source."""
    limits: dict[str, Any] = {}
    if spec.cpu_limit is not None:
        limits |= {"cpu_period": CPU_PERIOD_MICROSECONDS, "cpu_quota": int(spec.cpu_limit * CPU_PERIOD_MICROSECONDS)}
    if spec.memory_limit_bytes is not None:
        limits |= {"mem_limit": spec.memory_limit_bytes, "memswap_limit": spec.memory_limit_bytes}
    if spec.pids_limit is not None:
        limits["pids_limit"] = spec.pids_limit
    if spec.nofile_soft is not None and spec.nofile_hard is not None:
        limits["ulimits"] = [docker.types.Ulimit(name="nofile", soft=spec.nofile_soft, hard=spec.nofile_hard)]
    if spec.network:
        limits["network_mode"] = spec.network
    return client.create_host_config(
        mounts=[docker.types.Mount(mount.target, mount.source, type="bind", read_only=mount.read_only) for mount in spec.mounts],
        init=spec.init,
        restart_policy={"Name": spec.restart_policy} if spec.restart_policy else None,
        cap_drop=list(spec.cap_drop),
        log_config=docker.types.LogConfig(
            type="json-file", config={"max-size": f"{spec.log_max_size_mb}m", "max-file": str(spec.log_max_files)}
        ),
        **limits,
    )


# -- observed, in ours ----------------------------------------------------------------------


def info_of(found: Mapping[str, Any]) -> ContainerInfo:
    """From the answer of an inspect."""
    state, config, host = found["State"], found["Config"], found["HostConfig"]
    health = state.get("Health") or {}
    outputs = [entry.get("Output", "") for entry in health.get("Log") or []]
    period, quota, nano = host.get("CpuPeriod") or CPU_PERIOD_MICROSECONDS, host.get("CpuQuota") or 0, host.get("NanoCpus") or 0
    return ContainerInfo(
        docker_id=found["Id"],
        name=found["Name"].removeprefix("/"),
        image=config["Image"],
        image_id=found["Image"],
        status=Status(state["Status"]),
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
            Mount(mount.get("Source", ""), mount["Destination"], read_only=not mount.get("RW", True)) for mount in found.get("Mounts") or []
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
        status=Status(row["State"]),
        health=_health_in_words(row.get("Status") or ""),
        created_at=datetime.fromtimestamp(row["Created"], UTC),
        labels=row.get("Labels") or {},
    )


def _health(word: str | None) -> Health:
    return Health(word) if word in set(Health) else Health.NONE


def _health_in_words(text: str) -> Health:
    """The list call tells health only within its status text: "Up 2 hours (healthy)", "Up 1 second (health: starting)"."""
    found = re.search(r"\((?:health: )?(starting|healthy|unhealthy)\)", text)
    return Health(found[1]) if found else Health.NONE


def time_of(text: str | None) -> datetime | None:
    """Aware UTC from RFC 3339 with nanoseconds; None for the Engine's "never" (year 1)."""
    if not text or text.startswith("0001-"):
        return None
    whole, _, rest = text.partition(".")
    fraction = re.match(r"\d+", rest)
    zone = rest[fraction.end() :] if fraction else ""
    if not fraction:
        whole, zone = (whole[:-1], "Z") if whole.endswith("Z") else (whole[:19], whole[19:])
    micros = (fraction[0] if fraction else "0")[:6].ljust(6, "0")
    offset = "+00:00" if zone in ("", "Z") else zone
    return datetime.fromisoformat(f"{whole}.{micros}{offset}").astimezone(UTC)
