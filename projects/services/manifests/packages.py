"""Which packages were installed since the image, told by the paths that their installers leave behind."""

import re

from projects.engine.base import Change
from projects.states import ChangeKind

_APT = re.compile(r"/var/lib/dpkg/info/([a-z0-9][a-z0-9+.-]*)(?::[a-z0-9]+)?\.list")
_PIP = re.compile(r".*/(?:site|dist)-packages/([A-Za-z0-9][A-Za-z0-9._-]*?)-([0-9][^-/]*)(?:-py[0-9.]+)?\.(?:dist|egg)-info")
_NPM = re.compile(r"(?:(?!/node_modules/).)*/node_modules/((?:@[^/.][^/]*/)?[^/.@][^/]*)(/package\.json)?")
_OF_APT = "/usr/lib/python3/"
"""Debian's own Python packages come by apt."""


def apt_package(change: Change) -> str:
    """The name of a package that apt installed, upgraded or installed again; or nothing."""
    found = _APT.fullmatch(change.path) if change.path.startswith("/var/lib/dpkg/") else None
    return found[1] if found else ""


def pip_package(change: Change) -> str:
    """`name version`, in whatever environment, or nothing. An upgrade adds a directory of another version."""
    if change.kind is not ChangeKind.ADDED or not change.path.endswith("-info") or change.path.startswith(_OF_APT):
        return ""
    found = _PIP.fullmatch(change.path)
    return f"{found[1]} {found[2]}" if found else ""


def npm_package(change: Change) -> str:
    """The name of a package that stands in no other one's `node_modules`, or nothing."""
    if "/node_modules/" not in change.path:
        return ""
    found = _NPM.fullmatch(change.path)
    # A directory (or a link) that came, or a package.json of another content: an upgrade.
    if found is None or (change.kind is not ChangeKind.ADDED and not found[2]):
        return ""
    return found[1]
