"""What processes that died left half done: found and finished, by the web process at its start, and by the watcher now and then.

Not by the worker: it forks, and a thread or an Engine connection of before a fork is a trap. It holds no terminal, and the watcher
finds its runs.
"""

import threading

import structlog
from django.db import close_old_connections, connections

from projects.engine.errors import EngineError
from projects.services.commands import mark_interrupted
from projects.services.errors import HubError
from projects.services.images import mark_interrupted_builds
from projects.services.terminals import detach_orphans

log = structlog.get_logger(__name__)


def settle_leftovers() -> None:
    """End the runs and builds without a reader, and detach the terminals' clients whose socket is gone. Repeatable.

    What goes wrong with one kind is logged, and tried again with the next call; it holds up no other.
    """
    for settle in (mark_interrupted, mark_interrupted_builds, detach_orphans):
        try:
            settle()
        except (EngineError, HubError) as error:
            log.warning("leftovers.not_settled_yet", what=settle.__name__, error=str(error), cause=repr(error.__cause__))
        except Exception:
            log.exception("leftovers.broke", what=settle.__name__)


def settle_in_background() -> threading.Thread:
    """For a start that must not wait for an Engine that hangs."""
    thread = threading.Thread(target=_settle, name="leftovers", daemon=True)
    thread.start()
    return thread


def _settle() -> None:
    close_old_connections()
    try:
        settle_leftovers()
    finally:
        connections.close_all()
