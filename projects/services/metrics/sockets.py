"""Open websockets: each process writes how many it holds, and what a dead one wrote does not count."""

import os
import threading
from collections import Counter

import structlog
from django.db import DatabaseError

from containerhub.processes import identity
from projects.models import OpenSockets

KINDS = ("commands", "terminal", "live")

log = structlog.get_logger(__name__)
_open: Counter[str] = Counter()
_writing = threading.Lock()


def note_socket(kind: str, change: int) -> None:
    """In memory, at once; `write_sockets` tells the others."""
    _open[kind] += change


def write_sockets(kind: str) -> None:
    """The number as it is now, so that writes may come in any order."""
    pid = os.getpid()
    with _writing:
        try:
            OpenSockets.objects.update_or_create(pid=pid, process_start=identity(pid), kind=kind, defaults={"count": _open[kind]})
        except DatabaseError:
            log.exception("metrics.sockets_not_written")


def open_sockets() -> dict[str, int]:
    """By kind, of all processes that live."""
    found = dict.fromkeys(KINDS, 0)
    for row in OpenSockets.objects.all():
        if row.process_start == identity(row.pid):
            found[row.kind] = found.get(row.kind, 0) + row.count
    return found


def forget_dead_processes() -> None:
    dead = [row.pk for row in OpenSockets.objects.all() if row.process_start != identity(row.pid)]
    OpenSockets.objects.filter(pk__in=dead).delete()
