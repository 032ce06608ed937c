"""Containers: every call may be repeated, since 404 and 409 say that its work is done already."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import docker.types

from projects.engine.answers import changes_of, info_of, summary_of
from projects.engine.base import Change, ContainerInfo, ContainerSpec, ContainerSummary, Process
from projects.engine.errors import NoSuchObject, Refused, WrongState
from projects.engine.logs import LogFollower, read_logs
from projects.engine.translate import checked, translated
from projects.states import Status

if TYPE_CHECKING:
    from projects.engine.connection import Connection

CPU_PERIOD_MICROSECONDS = 100_000
REMOVE_SECONDS = 10
LAYER_SECONDS = 300
"""Measuring a layer walks its files."""
_REF = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_.-]*")
_NANO = 1_000_000_000


class DockerContainers:
    """`Containers` of projects.engine.base, over the SDK's low-level client.

    The Engine takes the beginning of an id for the whole. So every call that changes something first asks for the exact
    container and goes on with its full id: no other container can be hit, whatever happens to the names meanwhile.
    """

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def create(self, spec: ContainerSpec) -> str:
        client = self._connection.client()
        with translated(self._connection.base_url):
            made = client.create_container(**_create_arguments(client, spec))
        return str(made["Id"])

    def start(self, ref: str) -> None:
        found = self._found(ref)
        client = self._connection.client()
        if found.status is Status.PAUSED:
            return self._unpause(found)
        try:
            with translated(self._connection.base_url):
                client.start(found.docker_id)
        except NoSuchObject as error:
            if self.inspect(found.docker_id) is None:
                raise
            raise Refused(str(error)) from error  # its network or its image is gone, not the container itself

    def stop(self, ref: str, *, grace_seconds: int = 10) -> None:
        found = self.inspect(ref)
        if found is None:
            return
        if found.status is Status.PAUSED:
            self._unpause(found)
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                client.stop(found.docker_id, timeout=grace_seconds)
        except NoSuchObject:
            return
        except WrongState:
            if (now := self.inspect(found.docker_id)) is not None and now.running:
                raise

    def restart(self, ref: str, *, grace_seconds: int = 10) -> None:
        found = self._found(ref)
        if found.status is Status.PAUSED:
            self._unpause(found)
        client = self._connection.client()
        with translated(self._connection.base_url):
            client.restart(found.docker_id, timeout=grace_seconds)

    def remove(self, ref: str, *, force: bool = False) -> None:
        found = self.inspect(ref)
        if found is None:
            return
        client = self._connection.client()
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
        found = self._found(ref)
        if found.name == name:
            return
        client = self._connection.client()
        with translated(self._connection.base_url):
            client.rename(found.docker_id, name)

    def inspect(self, ref: str) -> ContainerInfo | None:
        if not _REF.fullmatch(ref):
            return None
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                found = client.inspect_container(ref)
        except NoSuchObject:
            return None
        info = info_of(found)
        # The Engine also answers for the beginning of an id.
        return info if ref in (info.docker_id, info.name) else None

    def list(self, *, labels: Mapping[str, str] | None = None, running_only: bool = False) -> Sequence[ContainerSummary]:
        client = self._connection.client()
        filters = {"label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        with translated(self._connection.base_url):
            rows = client.containers(all=not running_only, filters=filters)
        return [summary_of(row) for row in rows if row.get("Names")]

    def logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> bytes:
        return read_logs(self._connection, self._found(ref).docker_id, tail=tail, since=since, timestamps=timestamps)

    def follow_logs(self, ref: str, *, tail: int | None = 200, since: datetime | None = None, timestamps: bool = False) -> Iterator[bytes]:
        return LogFollower(self._connection, self._found(ref).docker_id, tail=tail, since=since, timestamps=timestamps)

    def processes(self, ref: str) -> Sequence[Process]:
        docker_id = self._found(ref).docker_id
        client = self._connection.client()
        with translated(self._connection.base_url):
            found = client.top(docker_id, ps_args="-eo pid,user,cputimes,args")
        columns = [title.upper() for title in found["Titles"]]
        pid, user, seconds = (columns.index(title) for title in ("PID", "USER", "TIME"))
        return [
            Process(pid=int(row[pid]), user=row[user], cpu_seconds=float(row[seconds]), command=row[-1]) for row in found["Processes"] or []
        ]

    def layer_bytes(self, ref: str) -> int:
        docker_id = self._found(ref).docker_id
        client = self._connection.client()
        with translated(self._connection.base_url):
            # The SDK has no argument for it.
            address = f"{client.base_url}/v{client.api_version}/containers/{docker_id}/json"
            found = checked(client.get(address, params={"size": 1}, timeout=LAYER_SECONDS)).json()
        return int(found.get("SizeRw") or 0)

    def changes(self, ref: str, *, timeout_seconds: float = 60) -> Sequence[Change]:
        docker_id = self._found(ref).docker_id
        client = self._connection.client()
        with translated(self._connection.base_url):
            address = f"{client.base_url}/v{client.api_version}/containers/{docker_id}/changes"
            return changes_of(checked(client.get(address, timeout=timeout_seconds)).content)

    def _found(self, ref: str) -> ContainerInfo:
        """Raises NoSuchObject."""
        found = self.inspect(ref)
        if found is None:
            raise NoSuchObject(f"There is no container {ref!r} on the Docker Engine; make it again.")
        return found

    def _unpause(self, found: ContainerInfo) -> None:
        """Quiet when another was faster."""
        client = self._connection.client()
        with suppress(WrongState, NoSuchObject), translated(self._connection.base_url):
            client.unpause(found.docker_id)

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
