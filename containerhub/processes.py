"""The hub's processes as the kernel shows them: each role's are known by two variables in their environment."""

import contextlib
import ctypes
import os
import signal
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

ROLE = "CONTAINERHUB_ROLE"
DATA_DIR = "CONTAINERHUB_DATA_DIR"
LAUNCHER = "CONTAINERHUB_LAUNCHER"
"""Set by a launcher in its own environment only (as `1`), so that it can be told from what it launched."""
ROLES = ("web", "worker", "watcher")

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """The kernel sends us this signal when the thread that forked us ends. It survives an exec, and no fork."""
    parent = os.getppid()
    _prctl(_PR_SET_PDEATHSIG, int(number))
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), number)


def become_subreaper() -> None:
    """Orphans below us become our children, so that none escapes."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def role_pids(role: str, data_dir: Path) -> list[int]:
    """The processes that bear this role and data directory, ours and our parents' left out."""
    wanted = {f"{ROLE}={role}".encode(), f"{DATA_DIR}={data_dir}".encode()}
    mine = set(_ancestors(os.getpid()))
    return [pid for pid in _all_pids() if pid not in mine and wanted <= environment(pid)]


def launcher_pid(role: str, data_dir: Path) -> int | None:
    """The launcher of that role."""
    mark = f"{LAUNCHER}=1".encode()
    return next((pid for pid in role_pids(role, data_dir) if mark in environment(pid)), None)


def environment(pid: int) -> set[bytes]:
    """The variables that it started with; empty when it is gone, or another user's."""
    try:
        return set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))
    except OSError:
        return set()


def descendants(pids: Iterable[int]) -> list[int]:
    """All that stand below these, without them."""
    children: dict[int, list[int]] = {}
    for pid in _all_pids():
        children.setdefault(_parent(pid), []).append(pid)
    found: list[int] = []
    waiting = list(pids)
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def end(pids: Iterable[int]) -> None:
    """Kill these and all below them, and see that they are gone (2 s at most)."""
    roots = list(pids)
    deadline = time.monotonic() + 2
    while True:
        alive = [pid for pid in {*roots, *descendants(roots)} if not is_gone(pid)]
        if not alive or time.monotonic() > deadline:
            return
        for pid in alive:
            _kill(pid)
        time.sleep(0.02)


def end_leftovers(role: str, data_dir: Path) -> int:
    """Kill what an earlier start left of this role; how many bore its mark."""
    left = role_pids(role, data_dir)
    end(left)
    return len(left)


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):  # it ended by itself
        os.kill(pid, signal.SIGKILL)


def _all_pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _ancestors(pid: int) -> Iterator[int]:
    while pid > 0:
        yield pid
        pid = _parent(pid)


def _stat(pid: int) -> list[str]:
    """State, parent and on, of /proc/<pid>/stat; empty when it is gone. The name before them may hold anything."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _parent(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[1]) if fields else 0


def is_gone(pid: int) -> bool:
    """It ended, whether or not somebody has collected it."""
    fields = _stat(pid)
    return not fields or fields[0] in "ZX"


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
