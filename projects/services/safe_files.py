"""Files by directory descriptor, never through a link.

What a container has had may hold links that point anywhere on the host. Nothing here follows one: every open has
O_NOFOLLOW, every name is relative to an open directory, and whatever is no regular file is refused.
"""

import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from projects.services.errors import Busy

log = structlog.get_logger(__name__)

DIRECTORY_FLAGS = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
READ_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # NONBLOCK: a named pipe must not hold us
NEW_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
READ_LIMIT_BYTES = 4 * 1024**2


class NotRegular(Exception):
    """A link, a device, a socket, a directory or a huge file stands where a plain file was looked for."""


@contextmanager
def locked(path: Path, *, timeout_seconds: float = 60) -> Iterator[None]:
    """Hold an exclusive lock between processes and threads. Raises Busy when it is not free in time."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        deadline = time.monotonic() + timeout_seconds
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise Busy("The hub is busy with another project's files; try again in a minute.")
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)  # closing unlocks


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def directory(name: str | Path, *, dir_fd: int | None = None) -> Iterator[int]:
    """A descriptor of that directory. Raises OSError when it is none, or a link."""
    descriptor = os.open(name, DIRECTORY_FLAGS, dir_fd=dir_fd)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def own_directory(path: Path) -> Iterator[int]:
    """A directory of the hub's own, mode 0700, made if need be."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    with directory(path) as descriptor:
        yield descriptor


def make_directory(name: str, *, dir_fd: int, mode: int = 0o700, uid: int = -1, gid: int = -1) -> None:
    """That directory, with that owner and mode, made if need be. Only for directories whose parent is the hub's own."""
    with suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=dir_fd)
    with directory(name, dir_fd=dir_fd) as descriptor:
        os.fchown(descriptor, uid, gid)
        os.fchmod(descriptor, mode)


def read_regular(name: str | Path, *, dir_fd: int | None = None, limit: int = READ_LIMIT_BYTES) -> bytes | None:
    """The bytes of a regular file; None when there is none. Raises NotRegular, also past `limit`; PermissionError."""
    try:
        descriptor = os.open(name, READ_FLAGS, dir_fd=dir_fd)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError:
        raise
    except OSError as error:  # ELOOP of a link, ENXIO of a socket
        raise NotRegular(str(name)) from error
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > limit:
            raise NotRegular(str(name))
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(limit)
    finally:
        os.close(descriptor)


def write_file(name: str, data: bytes, *, dir_fd: int, mode: int, uid: int = -1, gid: int = -1) -> None:
    """Put a file in place at once: whoever looks sees the old one or the new one, never a half."""
    fresh = f".new-{secrets.token_hex(8)}"
    descriptor = os.open(fresh, NEW_FLAGS, 0o600, dir_fd=dir_fd)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
        os.rename(fresh, name, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        os.unlink(fresh, dir_fd=dir_fd)
        raise


def sync_files(files: Mapping[str, bytes], *, dir_fd: int, mode: int, uid: int, gid: int) -> None:
    """Make the directory hold just these files. It stays the same directory, so containers that have it mounted see them."""
    for name, data in files.items():
        write_file(name, data, dir_fd=dir_fd, mode=mode, uid=uid, gid=gid)
    for name in os.listdir(dir_fd):
        if name not in files:
            remove_tree(name, dir_fd=dir_fd)


def is_directory(name: str, *, dir_fd: int) -> bool:
    """A real directory; not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(name, dir_fd=dir_fd).st_mode)
    except FileNotFoundError:
        return False


def remove_tree(name: str, *, dir_fd: int) -> None:
    """Remove a file or a whole directory, and no link's target; quiet when there is none.

    It is renamed away first, so its name is free at once. Directories inside are moved up and emptied one by one:
    a tree of any depth needs two descriptors and no recursion. Raises OSError where a part may not be removed.
    """
    gone = f".gone-{secrets.token_hex(8)}"
    try:
        os.rename(name, gone, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except FileNotFoundError:
        return
    _remove_renamed(gone, dir_fd=dir_fd)


def remove_leftovers(*, dir_fd: int) -> None:
    """Remove what a killed process left half made or half removed here. The caller holds the lock of this place.

    What may not be removed (a hub that is not root, files that sudo made in a container) stays, and the log says so.
    """
    for name in os.listdir(dir_fd):
        if name.startswith((".new-", ".gone-")):
            try:
                remove_tree(name, dir_fd=dir_fd)
            except OSError as error:
                log.warning("leftover.stays", name=name, error=str(error))


def _remove_renamed(gone: str, *, dir_fd: int) -> None:
    if not is_directory(gone, dir_fd=dir_fd):
        os.unlink(gone, dir_fd=dir_fd)
        return
    waiting = [gone]
    while waiting:
        name = waiting.pop()
        with _opened_for_removal(name, dir_fd=dir_fd) as inner:
            for entry in os.listdir(inner):
                if is_directory(entry, dir_fd=inner):
                    _allow_owner(entry, dir_fd=inner)  # moving a directory writes its ".."
                    moved = f".gone-{secrets.token_hex(8)}"
                    os.rename(entry, moved, src_dir_fd=inner, dst_dir_fd=dir_fd)
                    waiting.append(moved)
                else:
                    os.unlink(entry, dir_fd=inner)
        os.rmdir(name, dir_fd=dir_fd)


@contextmanager
def _opened_for_removal(name: str, *, dir_fd: int) -> Iterator[int]:
    _allow_owner(name, dir_fd=dir_fd)
    with directory(name, dir_fd=dir_fd) as descriptor:
        yield descriptor


def _allow_owner(name: str, *, dir_fd: int) -> None:
    """A directory that its owner shut against himself opens again; by descriptor, so no link is followed."""
    if os.geteuid() == 0:
        return
    descriptor = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        found = os.fstat(descriptor)
        if found.st_uid == os.geteuid() and found.st_mode & 0o700 != 0o700:
            os.chmod(f"/proc/self/fd/{descriptor}", 0o700)
    finally:
        os.close(descriptor)
