"""What would be lost with a container, from what differs from its image: a pure function, its answer bounded in size."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from projects.engine.base import Change
from projects.services.manifests.packages import apt_package, npm_package, pip_package
from projects.states import ChangeKind

HOME = "/home/claude"
NAMES_LIMIT = 200
NAME_LENGTH = 100
DIRECTORIES_LIMIT = 10
DIRECTORY_DEPTH = 3
DIRECTORY_LENGTH = 300
SPOKEN_NAMES = 5
# What no one would miss: state of the running container, and the books of installers.
_PASSING = ("/run", "/proc", "/sys", "/dev", "/var/lib/dpkg", "/var/lib/apt", "/var/cache")
_PASSING_FILES = frozenset({"/usr/sbin/docker-init", "/tmp", "/etc/ld.so.cache", f"{HOME}/.bash_history"})  # noqa: S108


@dataclass(frozen=True)
class Packages:
    """The names by the alphabet, at most NAMES_LIMIT of `count`."""

    count: int = 0
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Directory:
    path: str
    files: int


@dataclass(frozen=True)
class Contents:
    """Files that were added or changed, those of packages too: `files` outside of the home directory, `home_files` in it.

    `directories` are those with the most of them, the most first.
    """

    apt: Packages = Packages()
    pip: Packages = Packages()
    npm: Packages = Packages()
    files: int = 0
    home_files: int = 0
    directories: tuple[Directory, ...] = field(default=())

    @property
    def is_empty(self) -> bool:
        return not (self.apt.count or self.pip.count or self.npm.count or self.files or self.home_files)

    @property
    def sentence(self) -> str:
        """For people."""
        if self.is_empty:
            return "Nothing was installed or written outside of the workspace and Claude's configuration."
        parts = [_packages(found, name) for name, found in (("apt", self.apt), ("pip", self.pip), ("npm", self.npm)) if found.count]
        if self.files:
            first = next((one for one in self.directories if not f"{one.path}/".startswith(f"{HOME}/")), None)
            most = f", {first.files:,} of them in {first.path}" if first and self.files > 1 else ""
            parts.append(f"{_count(self.files, 'file')} outside of the workspace and the home directory{most}")
        if self.home_files:
            parts.append(f"{_count(self.home_files, 'file')} in the home directory")
        return "; ".join(parts) + "."


def summarise(changes: Iterable[Change], *, mounted: Sequence[str] = ()) -> Contents:
    """`mounted` are the paths that come from the host and so stay."""
    changes = tuple(changes)
    apt, pip, npm = (_packages_of(changes, tell) for tell in (apt_package, pip_package, npm_package))
    files = list(_lost_files(changes, mounted))
    home = sum(1 for path in files if path.startswith(f"{HOME}/"))
    places = Counter(_place(path) for path in files)
    most = sorted(places.items(), key=lambda found: (-found[1], found[0]))[:DIRECTORIES_LIMIT]
    directories = tuple(Directory(path[:DIRECTORY_LENGTH], count) for path, count in most)
    return Contents(apt, pip, npm, files=len(files) - home, home_files=home, directories=directories)


def from_json(stored: dict[str, Any]) -> Contents:
    """Of what `dataclasses.asdict` made."""
    kinds = {name: Packages(stored[name]["count"], tuple(stored[name]["names"])) for name in ("apt", "pip", "npm")}
    directories = tuple(Directory(**one) for one in stored["directories"])
    return Contents(**kinds, files=stored["files"], home_files=stored["home_files"], directories=directories)


def _packages_of(changes: Iterable[Change], tell: Any) -> Packages:
    names = {tell(change) for change in changes if change.kind is not ChangeKind.DELETED} - {""}
    return Packages(len(names), tuple(sorted(name[:NAME_LENGTH] for name in names)[:NAMES_LIMIT]))


def _lost_files(changes: Iterable[Change], mounted: Sequence[str]) -> Iterable[str]:
    """A diff names the directories above each file too, and does not say which is which."""
    parents = {change.path.rpartition("/")[0] for change in changes}
    passing = tuple(f"{path}/" for path in (*_PASSING, *mounted))
    for change in changes:
        path = change.path
        if change.kind is ChangeKind.DELETED or path in parents or path in _PASSING_FILES:
            continue
        if not f"{path}/".startswith(passing):
            yield path


def _place(path: str) -> str:
    """The directory that a file is counted in."""
    return "/".join(path.rpartition("/")[0].split("/")[: DIRECTORY_DEPTH + 1]) or "/"


def _packages(found: Packages, installer: str) -> str:
    names = ", ".join(found.names[:SPOKEN_NAMES])
    more = f" and {found.count - SPOKEN_NAMES} more" if found.count > SPOKEN_NAMES else ""
    return f"{_count(found.count, 'package')} of {installer} ({names}{more})"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
