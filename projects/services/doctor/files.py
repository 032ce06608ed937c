"""Directories and files of the host: the data directory, secrets, workspace roots, the Claude CLI."""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from projects.services.credentials import claude_cli as cli
from projects.services.doctor.engine import used_percent
from projects.services.doctor.finding import Finding, error, unknown, warning, well

DISK_WARNING_PERCENT = 90
KEYS = ("secret-key", "encryption-key")
NO_SECRETS = frozenset({"config", "gitconfig", ".gitconfig", "known_hosts", "authorized_keys"})


def data_directory() -> Iterator[Finding]:
    config = settings.CONTAINERHUB
    place = config.data_dir
    found = os.lstat(place)
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        yield error("data directory", f"Others can get into {place} (mode {mode:04o}), where keys and logins are.", f"chmod 700 {place}")
    elif found.st_uid != os.geteuid():
        yield warning(
            "data directory",
            f"{place} belongs to uid {found.st_uid}, and you are uid {os.geteuid()}.",
            "Run the hub and this command as the same user.",
        )
    else:
        yield well("data directory", f"{place} is open to its owner only.")
    disk = os.statvfs(place)
    free_mb, used = disk.f_bavail * disk.f_frsize // 1024**2, used_percent(str(place))
    said = f"{free_mb} MB are free on the disk of {place} ({used:.0f} % full)"
    if free_mb < config.run_free_disk_mb:
        yield error(
            "data disk", f"{said}: commands with large output are killed.", "Make room on it, or lower CONTAINERHUB_RUN_FREE_DISK_MB."
        )
    elif used >= DISK_WARNING_PERCENT:
        yield warning("data disk", f"{said}.", "Make room on it.")
    else:
        yield well("data disk", f"{said}.")


def secret_files() -> Iterator[Finding]:
    """Looked at with lstat alone: nothing under the lent directories is opened or followed."""
    base = settings.CONTAINERHUB.data_dir
    open_ones = [str(path) for path in [*(base / name for name in KEYS), *_files_under(base / "lent")] if _open_to_others(path)]
    if open_ones:
        shown = ", ".join(open_ones[:5]) + (f" and {len(open_ones) - 5} more" if len(open_ones) > 5 else "")
        yield error("secret files", f"Others can read {shown}.", f"chmod go= {' '.join(open_ones[:5])}")
    else:
        yield well("secret files", "Keys and what is lent can be read by their owners only.")


def _files_under(top: Path) -> Iterator[Path]:
    for folder, _folders, names in os.walk(top, followlinks=False):
        yield from (Path(folder, name) for name in names)


def _open_to_others(path: Path) -> bool:
    """A public key, a list of known hosts or a git configuration is no secret."""
    if path.suffix == ".pub" or path.name in NO_SECRETS:
        return False
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return False
    return stat.S_ISREG(found.st_mode) and bool(found.st_mode & 0o077)


# -- workspace roots ------------------------------------------------------------------------


@dataclass(frozen=True)
class MountPoint:
    path: str
    options: frozenset[str]


def mount_of(path: str, mountinfo: str) -> MountPoint | None:
    """The mount that a resolved path lies on; `mountinfo` as in /proc/self/mountinfo, where the last of equals is on top."""
    best: MountPoint | None = None
    for line in mountinfo.splitlines():
        fields = line.split(" ")
        point = fields[4].encode().decode("unicode_escape")
        covers = path == point or path.startswith(point.rstrip("/") + "/")
        if covers and (best is None or len(point) >= len(best.path)):
            best = MountPoint(point, frozenset(fields[5].split(",")))
    return best


def workspace_roots() -> Iterator[Finding]:
    mountinfo = Path("/proc/self/mountinfo").read_text(errors="surrogateescape")
    for root in settings.CONTAINERHUB.workspace_roots:
        yield from _workspace_root(os.path.realpath(root), mountinfo)


def _workspace_root(root: str, mountinfo: str) -> Iterator[Finding]:
    check = "workspace root"
    try:
        found = os.stat(root)
    except OSError as failure:
        yield error(check, f"{root} cannot be used ({failure.strerror}).", f"mkdir -p {root}, or correct CONTAINERHUB_WORKSPACE_ROOTS.")
        return
    if not stat.S_ISDIR(found.st_mode):
        yield error(check, f"{root} is no directory.", "Correct CONTAINERHUB_WORKSPACE_ROOTS.")
        return
    if found.st_mode & stat.S_IWOTH and not found.st_mode & stat.S_ISVTX:
        yield error(check, f"Anyone can write {root}, and so swap a workspace for a link.", f"chmod o-w {root}")
    else:
        yield well(check, f"{root} belongs to uid {found.st_uid} (mode {stat.S_IMODE(found.st_mode):04o}).")
    mount = mount_of(root, mountinfo)
    lacking = sorted({"nosuid", "nodev"} - (mount.options if mount else frozenset()))
    if mount and lacking and others_can_reach(root):
        yield warning(
            check,
            f"{root} is not mounted {','.join(lacking)} and other users of this host can reach it: "
            "a container's root could leave a setuid program there for them to run.",
            f"Close it to others (chmod o-rx {root}), or mount it with nosuid,nodev.",
        )


def others_can_reach(path: str) -> bool:
    """Whether a user who is neither owner nor in the group can enter it."""
    return all(os.stat(place).st_mode & stat.S_IXOTH for place in (path, *map(str, Path(path).parents)))


# -- the Claude CLI -------------------------------------------------------------------------


def claude_cli() -> Iterator[Finding]:
    found, why = cli.find_cli()  # what a create would find, without its copying
    if found is None:
        first, _, remedy = why.partition(": ")
        yield warning("claude cli", f"{first}; containers start without it.", remedy[:1].upper() + remedy[1:])
    else:
        yield well("claude cli", f"{found} is given to containers.")
    if not settings.CONTAINERHUB.claude_config_path.is_dir():
        yield unknown(
            "claude login",
            f"There is no {settings.CONTAINERHUB.claude_config_path}, so no Claude login can be lent.",
            "Sign in with claude as the hub's user, or set CONTAINERHUB_CLAUDE_CONFIG_PATH; or sign in within each container.",
        )
