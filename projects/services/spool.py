"""The output of command runs: one file each, `<data dir>/runs/<run id in hex>`, in Docker's own frame format.

A frame is a header of eight bytes, `{stream, 0, 0, 0, size as four bytes big-endian}`, and the payload, as in
"Stream format" of the Engine API's ContainerAttach (https://docs.docker.com/reference/api/engine/version/v1.41/).
Whoever reads the exec holds an flock on the file: a run that is "running" with a free lock is orphaned.
"""

import errno
import fcntl
import os
import struct
import time
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings

from projects.models import CommandRun
from projects.services.masking import Bytes
from projects.states import Stream

HEADER = struct.Struct(">BxxxL")
BUFFER_BYTES = 256 * 1024
LARGE_BYTES = 64 * 1024
FLUSH_SECONDS = 0.1
DISK_CHECK_BYTES = 8 * 1024**2
READ_BYTES = 1024**2


class SpoolFull(Exception):
    """The limit of a run's output, or of the disk, is reached; `str()` is a sentence for the row."""


def path_of(run_id: UUID) -> Path:
    return settings.DATA_DIR / "runs" / run_id.hex


def _open(run_id: UUID) -> int:
    path = path_of(run_id)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


class Spool(AbstractContextManager["Spool"]):
    """The spool of a run that is being read: holds its lock from `__init__` to `close`.

    Small chunks of one stream are merged into a frame; whatever is buffered is in the file after `poll`, which the
    reader calls at least each 0.2 s. Raises SpoolFull from `write`, after writing all that fits.
    """

    def __init__(self, run_id: UUID) -> None:
        self.size = 0
        self._limit = settings.CONTAINERHUB.run_output_limit_mb * 1024**2
        self._free_bytes = settings.CONTAINERHUB.run_free_disk_mb * 1024**2
        self._written = 0
        self._checked_at = 0
        self._buffer = bytearray()
        self._frame_at = 0
        self._stream: int | None = None
        self._flushed_at = 0.0
        self._fd = _open(run_id)
        fcntl.flock(self._fd, fcntl.LOCK_EX)  # waits for no longer than an `is_live` lasts

    def write(self, stream: int, data: Bytes) -> None:
        """Append a chunk, in order."""
        view = memoryview(data)
        if not view:
            return
        room = self._limit - self.size - HEADER.size
        fits = view[: max(0, room)]
        if fits:
            self._take(stream, fits)
        if len(fits) < len(view):
            self.poll()
            raise SpoolFull(f"The output passed {self._limit // 1024**2} MB, so the command was killed; write large output to a file.")
        if self.size - self._checked_at >= DISK_CHECK_BYTES:
            self._check_disk()

    def poll(self) -> None:
        """Put what is buffered into the file."""
        self._put([])

    def close(self) -> None:
        """Write the rest and free the lock."""
        if self._fd < 0:
            return
        try:
            self.poll()
        finally:
            os.close(self._fd)
            self._fd = -1

    def __exit__(self, *error: object) -> None:
        self.close()

    def _take(self, stream: int, view: memoryview) -> None:
        if len(view) >= LARGE_BYTES:
            self.size += HEADER.size + len(view)
            self._put([HEADER.pack(stream, len(view)), view])
            return
        if stream != self._stream:
            self._frame_at, self._stream = len(self._buffer), stream
            self._buffer += HEADER.pack(stream, 0)
            self.size += HEADER.size
        self._buffer += view
        self.size += len(view)
        HEADER.pack_into(self._buffer, self._frame_at, stream, len(self._buffer) - self._frame_at - HEADER.size)
        if len(self._buffer) >= BUFFER_BYTES or time.monotonic() - self._flushed_at >= FLUSH_SECONDS:
            self.poll()

    def _put(self, more: list[Bytes]) -> None:
        parts = [memoryview(part) for part in (bytes(self._buffer), *more) if part]
        self._buffer.clear()
        self._stream = None
        self._flushed_at = time.monotonic()
        try:
            while parts:
                done = os.writev(self._fd, parts)
                while parts and done >= len(parts[0]):
                    done -= len(parts.pop(0))
                if parts:
                    parts[0] = parts[0][done:]
        except OSError as error:
            os.ftruncate(self._fd, self._written)  # no half frame
            self.size = self._written
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise SpoolFull("The disk of the hub's data directory is full, so the command was killed; make room there.") from error
        self._written = self.size

    def _check_disk(self) -> None:
        """Small outputs are never refused: a nearly full disk must not stop the command that cleans it."""
        self._checked_at = self.size
        disk = os.fstatvfs(self._fd)
        if disk.f_bavail * disk.f_frsize < self._free_bytes:
            self.poll()
            raise SpoolFull(
                f"Less than {self._free_bytes // 1024**2} MB are free on the disk of the hub's data directory, "
                "so the command was killed; make room there."
            )


# -- the lock -------------------------------------------------------------------------------


def is_live(run: CommandRun) -> bool:
    """Whether some process holds the run's lock, that is, reads its exec."""
    try:
        fd = os.open(path_of(run.id), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
    return False


@contextmanager
def orphaned(run: CommandRun) -> Iterator[bool]:
    """True, and the lock held for the block, when nobody reads the run. An `is_live` that happens to look is waited for."""
    fd = _open(run.id)
    try:
        yield _lock_soon(fd)
    finally:
        os.close(fd)


def _lock_soon(fd: int) -> bool:
    for attempt in range(10):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.005 * attempt)
        else:
            return True
    return False


# -- reading --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tail:
    """The end of a run's output. `truncated` when there was more."""

    stdout: bytes
    stderr: bytes
    truncated: bool


@dataclass(frozen=True)
class Ending:
    """The same with the streams as they mixed; `offset` is the spool's position behind it."""

    chunks: list[tuple[int, bytes]]
    truncated: bool
    offset: int


@dataclass(frozen=True)
class Frame:
    stream: int
    offset: int
    size: int


def size_of(run: CommandRun) -> int:
    """Bytes now in the spool, headers included; 0 when there is none."""
    try:
        return path_of(run.id).stat().st_size
    except FileNotFoundError:
        return 0


def read_from(run: CommandRun, offset: int, limit: int = READ_BYTES) -> bytes:
    """At most `limit` raw spool bytes from `offset`; empty at (or after) the end, or when there is no spool."""
    try:
        with path_of(run.id).open("rb", buffering=0) as file:
            return os.pread(file.fileno(), limit, offset)
    except FileNotFoundError:
        return b""


def split_frames(data: Bytes) -> tuple[list[tuple[Stream, bytes]], int]:
    """The whole frames at the start of `data` as (stream, payload), and how many bytes they took."""
    view, position, frames = memoryview(data), 0, []
    while position + HEADER.size <= len(view):
        stream, size = HEADER.unpack_from(view, position)
        end = position + HEADER.size + size
        if end > len(view):
            break
        frames.append((Stream(stream), bytes(view[position + HEADER.size : end])))
        position = end
    return frames, position


def is_position(run: CommandRun, offset: int) -> bool:
    """Whether a frame starts (or the spool ends) at `offset`."""
    try:
        with path_of(run.id).open("rb") as file:
            return offset == 0 or any(frame.offset + frame.size == offset for frame in frames_in(file))
    except FileNotFoundError:
        return offset == 0


def tail(run: CommandRun, limit: int | None = None) -> Tail:
    """The last `limit` payload bytes of both streams together (default: the limit of one API answer)."""
    last = ending(run, settings.CONTAINERHUB.run_answer_limit_mb * 1024**2 if limit is None else limit)
    stdout, stderr = (b"".join(data for stream, data in last.chunks if stream == wanted) for wanted in (Stream.STDOUT, Stream.STDERR))
    return Tail(stdout, stderr, last.truncated)


def ending(run: CommandRun, limit: int) -> Ending:
    """The last `limit` payload bytes in the order in which they came."""
    try:
        with path_of(run.id).open("rb") as file:
            frames, cut = _last_frames(file, limit)
            chunks = [(frame.stream, os.pread(file.fileno(), frame.size, frame.offset)) for frame in frames]
    except FileNotFoundError:
        frames, cut, chunks = [], False, []
    offset = frames[-1].offset + frames[-1].size if frames else 0
    return Ending(chunks, cut or run.output_removed_at is not None, offset)


def frames_in(file: BinaryIO) -> Iterator[Frame]:
    """The frames of a spool; a last one that a killed reader left half written has the size that is there."""
    end = os.fstat(file.fileno()).st_size
    position = 0
    while position + HEADER.size <= end:
        stream, size = HEADER.unpack(os.pread(file.fileno(), HEADER.size, position))
        position += HEADER.size
        yield Frame(stream, position, min(size, end - position))
        position += size


def _last_frames(file: BinaryIO, limit: int) -> tuple[list[Frame], bool]:
    """The frames (the first one cut) that hold the last `limit` bytes, and whether any byte was left out."""
    kept: deque[Frame] = deque()
    total, cut = 0, False
    for frame in frames_in(file):
        kept.append(frame)
        total += frame.size
        while kept and total - kept[0].size >= limit:
            total -= kept[0].size
            cut = cut or kept[0].size > 0
            kept.popleft()
    if total > limit:
        first, extra, cut = kept[0], total - limit, True
        kept[0] = Frame(first.stream, first.offset + extra, first.size - extra)
    return list(kept), cut


# -- keeping house --------------------------------------------------------------------------


def keep_tail(run: CommandRun, limit: int) -> None:
    """Replace the spool by its last `limit` payload bytes, as frames. The caller holds the lock."""
    path = path_of(run.id)
    short = path.with_suffix(".tail")
    fd = os.open(short, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with path.open("rb") as file, os.fdopen(fd, "wb") as target:
        for frame in _last_frames(file, limit)[0]:
            target.write(HEADER.pack(frame.stream, frame.size))
            target.write(os.pread(file.fileno(), frame.size, frame.offset))
    short.replace(path)


def remove(run: CommandRun) -> None:
    """The spool is gone afterwards; quiet when it was already."""
    path_of(run.id).unlink(missing_ok=True)
