"""A run's output as it was printed: the payload of its spool, without the frames."""

import os
from collections.abc import Iterator

from projects.models import CommandRun
from projects.services.spool import HEADER, path_of
from projects.states import Stream

PIECE_BYTES = 256 * 1024


def payload(run: CommandRun, stream: Stream | None = None) -> Iterator[bytes]:
    """The bytes of one stream, or of both as they came, in pieces of at most 256 KiB, up to the present end."""
    try:
        file = path_of(run.id).open("rb", buffering=0)
    except FileNotFoundError:
        return
    with file:
        end = os.fstat(file.fileno()).st_size
        position = 0
        while position + HEADER.size <= end:
            number, size = HEADER.unpack(os.pread(file.fileno(), HEADER.size, position))
            position += HEADER.size
            stop = min(position + size, end)
            if stream is None or number == stream:
                yield from _pieces(file.fileno(), position, stop)
            position += size


def _pieces(fd: int, position: int, stop: int) -> Iterator[bytes]:
    while position < stop:
        piece = os.pread(fd, min(PIECE_BYTES, stop - position), position)
        if not piece:
            return
        yield piece
        position += len(piece)
