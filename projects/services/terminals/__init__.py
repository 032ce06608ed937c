"""Terminals in a project's container: named tmux sessions that outlive whoever looks at them."""

from projects.services.terminals.attach import Terminal
from projects.services.terminals.carrying import leave
from projects.services.terminals.clients import detach_orphans
from projects.services.terminals.rows import Use, note_uses
from projects.services.terminals.sessions import (
    checked_session_name,
    close_session,
    list_sessions,
    make_session,
    rename_session,
    reopen,
    session_history,
    settle,
)

__all__ = [
    "Terminal",
    "Use",
    "checked_session_name",
    "close_session",
    "detach_orphans",
    "leave",
    "list_sessions",
    "make_session",
    "note_uses",
    "rename_session",
    "reopen",
    "session_history",
    "settle",
]
