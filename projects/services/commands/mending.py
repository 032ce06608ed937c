"""A spool whose reader was killed in the middle of a write."""

import os

from projects.models import CommandRun
from projects.services.spool import HEADER, frames_in, path_of


def mend_spool(run: CommandRun) -> None:
    """Let a last frame that was left half written end where the file ends, so that every byte that arrived is read.

    The caller holds the spool's lock.
    """
    try:
        # Not for appending, with which Linux's pwrite appends too.
        fd = os.open(path_of(run.id), os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    with os.fdopen(fd, "r+b", buffering=0) as file:
        end, whole_to, last = os.fstat(fd).st_size, 0, None
        for last in frames_in(file):
            whole_to = last.offset + last.size
        if last is not None:
            os.pwrite(fd, HEADER.pack(last.stream, last.size), last.offset - HEADER.size)
        if whole_to < end:  # a part of a header
            os.ftruncate(fd, whole_to)
