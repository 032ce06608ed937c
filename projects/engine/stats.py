"""What containers use: from their cgroup files where the Engine runs on this host, else from its API, all at once.

The maths are those of the docker CLI (github.com/docker/cli, cli/command/container/stats_helpers.go): memory is usage
without the inactive page cache, and CPU % is d(container's time) / d(host's time) * cores * 100, 100 per core.
"""

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

import docker

from projects.engine import cgroups
from projects.engine.base import Usage
from projects.engine.errors import EngineError, EngineUnreachable, NoSuchObject, WrongState
from projects.engine.translate import translated

PAUSE_SECONDS = 0.06
YOUNGEST_SECONDS = 0.05
OLDEST_SECONDS = 60.0
THREADS = 32


class StatsConnection(Protocol):
    @property
    def base_url(self) -> str: ...

    @property
    def is_local(self) -> bool: ...

    def api_version(self) -> str: ...

    def client(self) -> docker.APIClient: ...


@dataclass(frozen=True)
class Sample:
    """Counters of one container at one moment. `clock_ns` is the host's time by whichever clock `cpu_ns` is compared with."""

    docker_id: str
    clock_ns: float
    reading: cgroups.Reading
    read_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    taken: float = field(default_factory=time.monotonic)


class CpuHistory:
    """The last sample of each container, and the CPU % worked out with it. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: dict[str, tuple[Sample, float | None]] = {}

    def percent(self, sample: Sample) -> float | None:
        """CPU % since the sample before; None when there was none that is fresh enough, so that another is needed.

        One that came within 50 ms of the last is answered with the last one's value: the difference would be noise."""
        with self._lock:
            before, known = self._last.get(sample.docker_id, (None, None))
            age = sample.taken - before.taken if before else OLDEST_SECONDS
            if before and age < YOUNGEST_SECONDS:
                return known
            used = sample.reading.cpu_ns - before.reading.cpu_ns if before else -1
            clock = sample.clock_ns - before.clock_ns if before else 0.0
            # Not from a stale sample, nor over a restart, at which the counter begins anew.
            known = used / clock * 100 if age < OLDEST_SECONDS and used >= 0 and clock > 0 else None
            self._forget(sample.taken)
            self._last[sample.docker_id] = (sample, known)
            return known

    def _forget(self, now: float) -> None:
        if len(self._last) >= 1000:
            self._last = {key: value for key, value in self._last.items() if now - value[0].taken < OLDEST_SECONDS}


class DockerStats:
    """`Stats` of projects.engine.base, on the real Engine."""

    def __init__(self, connection: StatsConnection) -> None:
        self._connection = connection
        self._history = CpuHistory()
        self._host_memory: int | None = None
        self._pools: dict[int, ThreadPoolExecutor] = {}

    def usage(self, ref: str) -> Usage | None:
        """As the protocol says. Raises EngineUnreachable."""
        docker_id = self._full_id(ref)
        return self._usages([docker_id], strict=True).get(docker_id) if docker_id else None

    def usages(self, refs: Sequence[str]) -> Mapping[str, Usage]:
        """As the protocol says. Raises EngineUnreachable when not one of them was answered for that reason."""
        return self._usages(list(dict.fromkeys(refs)), strict=False)

    def _usages(self, ids: list[str], *, strict: bool) -> dict[str, Usage]:
        usages: dict[str, Usage] = {}
        again = self._take(ids, usages, strict, final=False)
        if again:
            time.sleep(PAUSE_SECONDS)
            self._take(again, usages, strict, final=True)
        return usages

    def _take(self, ids: list[str], usages: dict[str, Usage], strict: bool, *, final: bool) -> list[str]:
        """One sweep, into `usages`; answers those that need another sample for their CPU %."""
        local = self._local(ids)
        remote = [docker_id for docker_id in ids if docker_id not in local]
        samples = [*local.values(), *self._from_api(remote, strict)]
        again = []
        for sample in samples:
            percent = self._history.percent(sample)
            if percent is None and not final:
                again.append(sample.docker_id)
            else:
                usages[sample.docker_id] = _usage(sample, percent)
        return again

    def _local(self, ids: Iterable[str]) -> dict[str, Sample]:
        """Samples from the files that this host has; none where the Engine is elsewhere."""
        samples: dict[str, Sample] = {}
        if not self._connection.is_local:
            return samples
        for docker_id in ids:
            files = cgroups.find(docker_id)
            clock = time.monotonic_ns()
            reading = cgroups.read(files) if files else None
            if reading:
                samples[docker_id] = Sample(docker_id, clock, reading)
        return samples

    def _from_api(self, ids: list[str], strict: bool) -> list[Sample]:
        """All at once, in a bounded pool: an old Engine takes a second or two for each."""
        if not ids:
            return []
        found: list[Sample] = []
        failures: list[EngineError] = []
        for outcome in self._pool().map(self._tried, ids):
            if isinstance(outcome, EngineError):
                failures.append(outcome)
            elif outcome:
                found.append(outcome)
        if failures and (strict or (not found and any(isinstance(failure, EngineUnreachable) for failure in failures))):
            raise failures[0]
        return found

    def _tried(self, docker_id: str) -> Sample | EngineError | None:
        try:
            return self._one_from_api(docker_id)
        except (NoSuchObject, WrongState):
            return None
        except EngineError as error:
            return error

    def _one_from_api(self, docker_id: str) -> Sample | None:
        one_shot = tuple(map(int, self._connection.api_version().split("."))) >= (1, 41)
        with translated(self._connection.base_url):
            client = self._connection.client()
            stats: Callable[..., dict[str, Any]] = client.stats
            found = stats(docker_id, stream=False, one_shot=True) if one_shot else stats(docker_id, stream=False)
            if self._host_memory is None:
                self._host_memory = int(client.info()["MemTotal"])
        return sample_of(docker_id, found, self._host_memory)

    def _pool(self) -> ThreadPoolExecutor:
        """Threads do not survive a fork, so each process has its own."""
        pool = self._pools.get(os.getpid())
        return pool or self._pools.setdefault(os.getpid(), ThreadPoolExecutor(THREADS, thread_name_prefix="engine-stats"))

    def _full_id(self, ref: str) -> str | None:
        if len(ref) == 64:
            return ref
        try:
            with translated(self._connection.base_url):
                return str(self._connection.client().inspect_container(ref)["Id"])
        except NoSuchObject:
            return None


def _usage(sample: Sample, percent: float | None) -> Usage:
    reading = sample.reading
    return Usage(
        docker_id=sample.docker_id,
        read_at=sample.read_at,
        cpu_percent=percent,
        memory_bytes=reading.memory_bytes,
        memory_limit_bytes=reading.memory_limit_bytes,
        pids=reading.pids,
        network_rx_bytes=reading.network_rx_bytes,
        network_tx_bytes=reading.network_tx_bytes,
        cpu_seconds=reading.cpu_ns / 1e9,
    )


def sample_of(docker_id: str, stats: Mapping[str, Any], host_memory_bytes: int) -> Sample | None:
    """One answer of the stats API. None for a container that does not run: its numbers are absent or nought."""
    cpu = stats.get("cpu_stats") or {}
    memory = stats.get("memory_stats") or {}
    clock = cpu.get("system_cpu_usage")
    if not clock or "usage" not in memory:
        return None
    usage = int(memory["usage"])
    details = memory.get("stats") or {}
    cache = int(details.get("total_inactive_file", details.get("inactive_file", 0)))
    limit = int(memory.get("limit") or 0)
    cores = cpu.get("online_cpus") or len(cpu.get("cpu_usage", {}).get("percpu_usage") or []) or 1
    networks = (stats.get("networks") or {}).values()
    reading = cgroups.Reading(
        cpu_ns=int(cpu["cpu_usage"]["total_usage"]),
        memory_bytes=usage - cache if cache < usage else usage,
        # Without a limit of its own the Engine answers the host's memory.
        memory_limit_bytes=limit if 0 < limit < host_memory_bytes else None,
        pids=int((stats.get("pids_stats") or {}).get("current") or 0),
        network_rx_bytes=sum(int(each["rx_bytes"]) for each in networks),
        network_tx_bytes=sum(int(each["tx_bytes"]) for each in networks),
    )
    return Sample(docker_id, clock / cores, reading)
