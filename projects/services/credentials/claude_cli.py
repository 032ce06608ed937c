"""The host's Claude CLI, kept by its hash: an updater on the host cannot take it away from running containers."""

import hashlib
import json
import os
import platform
import secrets
import shutil
import stat
import time
from pathlib import Path
from typing import Any

from django.conf import settings

from containerhub.bootstrap.claude_cli import INSTALLED
from projects.services.safe_files import directory, locked, own_directory, read_regular, remove_leftovers, remove_tree, write_file

ELF = b"\x7fELF"
UNUSED_SECONDS = 3600
"""A copy that no container names is removed only when it was last handed out this long ago: its container may be on the way."""

_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}
_MEMORY = "known.json"  # hashes by (path, size, time, inode), so that 250 MB are read once


def store() -> Path:
    return settings.CONTAINERHUB.data_dir.resolve() / "claude-cli"


def kept_cli() -> tuple[Path | None, str]:
    """The path of the kept copy of the host's CLI, or None and a sentence that says why there is none."""
    found, why = find_cli()
    if found is None:
        return None, why
    try:
        with locked(store() / ".lock"), own_directory(store()) as place:
            remove_leftovers(dir_fd=place)
            return _keep(found, place), ""
    except OSError as error:
        return None, f"The Claude CLI at {found} could not be copied ({error.strerror}), so there is none in the container."


def remove_unused_clis(in_use: set[str]) -> list[str]:
    """Remove the copies that no container has: `in_use` holds hashes or mount sources. Answers the removed hashes."""
    if not store().is_dir():
        return []
    with locked(store() / ".lock"), directory(store()) as place:
        old = time.time() - UNUSED_SECONDS
        removed = []
        for name in sorted(os.listdir(place)):
            used = any(name in (source, Path(source).name, Path(source).parent.name) for source in in_use)
            if len(name) == 64 and not used and os.lstat(name, dir_fd=place).st_mtime < old:
                remove_tree(name, dir_fd=place)
                removed.append(name)
        return removed


# -- finding --------------------------------------------------------------------------------


def find_cli() -> tuple[Path | None, str]:
    """The native binary on this host, or None and a sentence that says why there is none."""
    wanted = settings.CONTAINERHUB.claude_cli_path
    installed = settings.CONTAINERHUB.data_dir / INSTALLED
    named = os.path.expanduser(wanted) if wanted else shutil.which("claude") or (str(installed) if installed.exists() else "")
    if not named:
        return None, "No Claude CLI was found on this host: install it, or name it in CONTAINERHUB_CLAUDE_CLI_PATH, then refresh."
    real = Path(os.path.realpath(named))
    if not real.is_file():
        return None, f"The Claude CLI {named} is not there, or is no file: correct CONTAINERHUB_CLAUDE_CLI_PATH, then refresh."
    try:
        binary = real if _is_elf(real) else _beside(real)
    except OSError as error:
        return None, f"The Claude CLI {real} cannot be read ({error.strerror}), so there is none in the container."
    if binary is None:
        return None, (
            f"The Claude CLI {real} is a script that needs this host's own files, so there is none in the container: "
            "install the native one, then refresh."
        )
    return binary, ""


def _is_elf(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(4) == ELF


def _beside(script: Path) -> Path | None:
    """npm installs a script and, in a package beside it, the binary for this machine."""
    machine = _MACHINES.get(platform.machine().lower())
    package = Path("@anthropic-ai", f"claude-code-linux-{machine}", "claude")
    for parent in script.parents:
        for place in (parent / package, parent / "node_modules" / package):
            if machine and place.is_file() and _is_elf(place):
                return place.resolve()
    return None


# -- keeping --------------------------------------------------------------------------------


def _keep(found: Path, place: int) -> Path:
    memory = _load(place)
    digest = _known_digest(memory, found)
    if digest is None or not _intact(memory, digest, place):
        digest = _copy(found, memory, place)
    os.utime(digest, dir_fd=place)
    return store() / digest / "claude"


def _print_of(found: os.stat_result) -> list[int]:
    return [found.st_size, found.st_mtime_ns, found.st_ino, found.st_dev]


def _known_digest(memory: dict[str, Any], found: Path) -> str | None:
    entry = memory["sources"].get(str(found))
    return entry["digest"] if entry and entry["print"] == _print_of(found.stat()) else None


def _intact(memory: dict[str, Any], digest: str, place: int) -> bool:
    """The copy is what was hashed; one that shares its inode with the host's file may have been rewritten in place."""
    try:
        return bool(memory["copies"].get(digest) == _print_of(os.lstat(f"{digest}/claude", dir_fd=place)))
    except OSError:
        return False


def _copy(found: Path, memory: dict[str, Any], place: int) -> str:
    fresh = f".new-{secrets.token_hex(8)}"
    os.mkdir(fresh, 0o755, dir_fd=place)
    with directory(fresh, dir_fd=place) as inner:
        os.fchmod(inner, 0o755)  # whatever the umask
        digest = _link(found, inner) or _copy_bytes(found, inner)
        kept = _print_of(os.lstat("claude", dir_fd=inner))
    remove_tree(digest, dir_fd=place)  # not intact, else we would not be here; who has it mounted keeps it
    os.rename(fresh, digest, src_dir_fd=place, dst_dir_fd=place)
    memory["sources"][str(found)] = {"print": _print_of(found.stat()), "digest": digest}
    memory["copies"][digest] = kept
    memory["copies"] = {name: entry for name, entry in memory["copies"].items() if name in os.listdir(place)}
    write_file(_MEMORY, json.dumps(memory).encode(), dir_fd=place, mode=0o600)
    return digest


def _link(found: Path, inner: int) -> str | None:
    """The hash, when a hard link could be made and its mode serves the container; else None, and nothing is there."""
    mode = found.stat().st_mode
    if mode & 0o005 != 0o005 or mode & 0o022 or mode & (stat.S_ISUID | stat.S_ISGID):
        return None
    try:
        os.link(found, "claude", dst_dir_fd=inner, follow_symlinks=False)
    except OSError:  # another file system, or a kernel that protects links: it is copied instead
        return None
    before = _print_of(os.lstat("claude", dir_fd=inner))
    with os.fdopen(os.open("claude", os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=inner), "rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if before == _print_of(os.lstat("claude", dir_fd=inner)):
        return digest
    os.unlink("claude", dir_fd=inner)
    return None


def _copy_bytes(found: Path, inner: int) -> str:
    digest = hashlib.sha256()
    descriptor = os.open("claude", os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=inner)
    with found.open("rb") as source, os.fdopen(descriptor, "wb") as target:
        while block := source.read(1024**2):
            digest.update(block)
            target.write(block)
        target.flush()
        os.fchmod(descriptor, 0o555)
    return digest.hexdigest()


def _load(place: int) -> dict[str, Any]:
    try:
        memory = json.loads(read_regular(_MEMORY, dir_fd=place) or b"{}")
    except ValueError:
        memory = {}  # it only saves time: what it knew is hashed again
    return {"sources": memory.get("sources", {}), "copies": memory.get("copies", {})}
