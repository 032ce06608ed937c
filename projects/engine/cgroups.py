"""The cgroup files of a container, where the Engine runs on this very host: what it uses, and its processes.

Both versions of cgroups, and both of the Engine's drivers: cgroupfs makes `docker/<id>`, systemd makes
`system.slice/docker-<id>.scope`; a rootless or nested Engine puts them deeper. Reading takes 0.1 ms where the API takes 1 s.
"""

import contextlib
import os
import signal as signals
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
PROC = Path("/proc")
UNLIMITED_BYTES = 1 << 60
"""Version 1 writes "no limit" as the largest multiple of a page."""

_PATTERNS = ("docker/{id}", "system.slice/docker-{id}.scope")
_DEEPER = ("*/docker/{id}", "*/*/docker/{id}", "*/docker-{id}.scope", "*/*/docker-{id}.scope", "*/*/*/*/docker-{id}.scope")
_STOP_PASSES = 50
BLANK_SECONDS = 0.1
"""How long an empty environment is doubted: a process shows none between the start of its exec and the end of it
(proc_pid_environ reads nothing until the new program's is in place), and may be one that is looked for."""


@dataclass(frozen=True)
class Files:
    """Where one container's files are. Under version 2 the three are the same directory."""

    memory: Path
    cpu: Path
    pids: Path
    version: int


@dataclass(frozen=True)
class Reading:
    """Memory without the page cache; `cpu_ns` is a total; no limit is None."""

    cpu_ns: int
    memory_bytes: int
    memory_limit_bytes: int | None
    pids: int
    network_rx_bytes: int
    network_tx_bytes: int


def find(docker_id: str, root: Path = ROOT) -> Files | None:
    """None when the container does not run, or runs where its files cannot be seen. `docker_id` has 64 hex digits."""
    if len(docker_id) != 64 or not docker_id.isalnum():
        return None
    if (root / "cgroup.controllers").exists():
        folder = _folder(root, docker_id)
        return Files(folder, folder, folder, 2) if folder else None
    memory = _folder(root / "memory", docker_id)
    if memory is None:
        return None
    inside = memory.relative_to(root / "memory")
    cpu = next((root / name / inside for name in ("cpuacct", "cpu,cpuacct") if (root / name / inside).is_dir()), None)
    pids = root / "pids" / inside
    return Files(memory, cpu, pids, 1) if cpu and pids.is_dir() else None


def _folder(root: Path, docker_id: str) -> Path | None:
    for pattern in _PATTERNS:
        if (folder := root / pattern.format(id=docker_id)).is_dir():
            return folder
    for pattern in _DEEPER:
        if found := next(root.glob(pattern.format(id=docker_id)), None):
            return found
    return None


def read(files: Files, proc: Path = PROC) -> Reading | None:
    """None when the container ended meanwhile, or has no process."""
    try:
        process = next(iter(process_ids(files)), None)
        if process is None:
            return None
        received, sent = _network(proc / str(process) / "net" / "dev")
        usage, limit, cache = _memory(files)
        return Reading(
            cpu_ns=_cpu_ns(files),
            memory_bytes=usage - cache if cache < usage else usage,
            memory_limit_bytes=limit,
            pids=_number(files.pids / "pids.current") or 0,
            network_rx_bytes=received,
            network_tx_bytes=sent,
        )
    except (FileNotFoundError, ProcessLookupError, OSError, ValueError):
        # A cgroup may vanish between two of its files (ENODEV, ENOENT); then the container does not run.
        return None


def process_ids(files: Files) -> list[int]:
    """The container's processes by this host's numbers, those of groups below it too. Raises FileNotFoundError when gone."""
    found = [int(pid) for pid in _text(files.pids / "cgroup.procs").split()]
    if found:
        return found
    for inner in files.pids.rglob("cgroup.procs"):
        with contextlib.suppress(OSError):
            found += [int(pid) for pid in _text(inner).split()]
    return found


def _cpu_ns(files: Files) -> int:
    if files.version == 1:
        return int(_text(files.cpu / "cpuacct.usage"))
    return _field(_text(files.cpu / "cpu.stat"), "usage_usec") * 1000


def _memory(files: Files) -> tuple[int, int | None, int]:
    """Usage, limit, and the part of usage that is cache which the kernel would give back first."""
    names = ("memory.usage_in_bytes", "memory.limit_in_bytes", "total_inactive_file")
    usage, limit, cache = names if files.version == 1 else ("memory.current", "memory.max", "inactive_file")
    return int(_text(files.memory / usage)), _number(files.memory / limit), _field(_text(files.memory / "memory.stat"), cache)


def _network(path: Path) -> tuple[int, int]:
    """Bytes received and sent over all devices but the loopback; the file has two lines of headings."""
    received = sent = 0
    for line in _text(path).splitlines()[2:]:
        name, _, numbers = line.partition(":")
        if name.strip() != "lo":
            fields = numbers.split()
            received += int(fields[0])
            sent += int(fields[8])
    return received, sent


def _text(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        parts = []
        while part := os.read(descriptor, 65536):
            parts.append(part)
        return b"".join(parts).decode()
    finally:
        os.close(descriptor)


def _number(path: Path) -> int | None:
    """None for "max" and for version 1's way to say so."""
    text = _text(path).strip()
    return int(text) if text.isdigit() and int(text) < UNLIMITED_BYTES else None


def _field(text: str, name: str) -> int:
    for line in text.splitlines():
        key, _, value = line.partition(" ")
        if key == name:
            return int(value)
    return 0


# -- ending processes from the host ------------------------------------------------------------


def signal_bearers(files: Files, entry: str, signal: str) -> int | None:
    """Send "TERM" or "KILL" to (or with "0" only count) the processes whose environment has `entry`; how many bore it.

    None when this process may not read their environments. Before KILL all are stopped until a pass finds no new
    one, so that those that fork cannot outrun it.
    """
    wanted = entry.encode()
    found: dict[int, int] = {}
    parents: set[int] = set()
    try:
        for _ in range(_STOP_PASSES):
            new = _bearers(files, wanted, found)
            found.update(new)
            if signal != "KILL" or not new:
                break
            for pid, descriptor in new.items():
                _send(descriptor, signals.SIGSTOP)
                parents.add(_state(pid)[1])
        if signal != "0":
            for descriptor in found.values():
                _send(descriptor, signals.Signals[f"SIG{signal}"])
            for descriptor in found.values():
                _send(descriptor, signals.SIGCONT)
            _wake((parents - found.keys()) & set(process_ids(files)))
        return len(found)
    except PermissionError:
        return None
    except FileNotFoundError:
        return 0
    finally:
        for descriptor in found.values():
            os.close(descriptor)


def _bearers(files: Files, wanted: bytes, known: dict[int, int]) -> dict[int, int]:
    """Process id -> pidfd of those that bear `wanted` and are not known yet. The pidfd is opened before the look, so that
    a number given anew meanwhile is never hit. Raises PermissionError."""
    found: dict[int, int] = {}
    for pid in process_ids(files):
        if pid in known:
            continue
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        try:
            bears = wanted in _environment(pid).split(b"\0")
        except PermissionError:
            os.close(descriptor)
            raise
        except OSError:
            bears = False
        if bears:
            found[pid] = descriptor
        else:
            os.close(descriptor)
    return found


def _environment(pid: int) -> bytes:
    """Its environment block, waited for while it shows none (`BLANK_SECONDS`). Raises OSError."""
    until = time.monotonic() + BLANK_SECONDS
    while not (block := (PROC / str(pid) / "environ").read_bytes()):
        if time.monotonic() >= until or _state(pid)[0] in ("", "Z"):
            break
        time.sleep(0.001)
    return block


def _send(descriptor: int, signal: signals.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        signals.pidfd_send_signal(descriptor, signal)


def _wake(pids: set[int], *, within_seconds: float = 0.5) -> None:
    """sudo stops itself when its command is stopped, and shows no marker: let it go on, so that it sees the end."""
    until = time.monotonic() + within_seconds
    while time.monotonic() < until:
        states = {pid: _state(pid)[0] for pid in pids}
        for pid in (pid for pid, state in states.items() if state == "T"):
            with contextlib.suppress(OSError):
                os.kill(pid, signals.SIGCONT)
        if all(state in ("", "Z") for state in states.values()):
            return
        time.sleep(0.02)


def _state(pid: int) -> tuple[str, int]:
    """State and parent of a process; ("", 0) when it is gone."""
    try:
        state, parent, *_ = _text(PROC / str(pid) / "stat").rpartition(") ")[2].split()
        return state, int(parent)
    except (OSError, ValueError):
        return "", 0
