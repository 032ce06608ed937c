"""Git repositories below the workspace roots that are no projects yet."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from django.conf import settings

from projects.models import Project
from projects.services.safe_files import directory

MOST_ENTRIES = 2000
DEPTH = 2


@dataclass(frozen=True)
class Discovered:
    path: str
    name: str
    owner_uid: int


def discover_projects() -> list[Discovered]:
    """Repositories directly below the roots or one level deeper, by path. Looks at 2000 entries at most.

    It follows no link and never looks inside a project's workspace; hidden and unreadable directories are passed over.
    """
    taken = list(Project.objects.values_list("path", flat=True))
    found: dict[str, Discovered] = {}
    budget = _Budget(MOST_ENTRIES)
    for root in settings.CONTAINERHUB.workspace_roots:
        resolved = os.path.realpath(root)
        try:
            with directory(resolved) as descriptor:
                found.update((one.path, one) for one in _below(resolved, descriptor, taken, DEPTH, budget))
        except OSError:
            continue  # a root that is not there yet, or not ours to read, has nothing to offer
    return sorted(found.values(), key=lambda one: one.path)


class _Budget:
    """How many entries may still be looked at."""

    def __init__(self, left: int) -> None:
        self.left = left


def _below(path: str, descriptor: int, taken: list[str], depth: int, budget: _Budget) -> Iterator[Discovered]:
    for name in _names(descriptor, budget):
        inner_path = os.path.join(path, name)
        if any(inner_path == other or inner_path.startswith(other + os.sep) for other in taken):
            continue
        try:
            with directory(name, dir_fd=descriptor) as inner:
                holds_project = any(other.startswith(inner_path + os.sep) for other in taken)
                if not holds_project and _is_repository(inner):
                    yield Discovered(inner_path, name, os.fstat(inner).st_uid)
                elif depth > 1:
                    yield from _below(inner_path, inner, taken, depth - 1, budget)
        except OSError:
            continue  # a file, a link, or not ours to read


def _names(descriptor: int, budget: _Budget) -> list[str]:
    """Names of real directories that are not hidden and can be written down."""
    with os.scandir(descriptor) as entries:
        looked_at = list(islice(entries, budget.left))
    budget.left -= len(looked_at)
    return sorted(
        entry.name
        for entry in looked_at
        if not entry.name.startswith(".") and entry.name.isprintable() and entry.is_dir(follow_symlinks=False)
    )


def _is_repository(descriptor: int) -> bool:
    try:
        mode = os.stat(".git", dir_fd=descriptor, follow_symlinks=False).st_mode
    except OSError:
        return False
    return stat.S_ISDIR(mode) or stat.S_ISREG(mode)  # a file in a worktree or submodule
