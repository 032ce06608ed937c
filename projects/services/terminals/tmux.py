"""The container's own tmux server, asked by execs of one command each: no shell reads a name."""

import time
from collections.abc import Iterable

from projects.engine.base import Engine
from projects.services.asking import Answer, ask

# -N: a server started by an exec would bear that exec's marker and its secrets, and die with them.
TMUX = ("tmux", "-L", "hub", "-N")
NOT_THERE = (126, 127)
"""What the Engine says of a program that the image does not have."""
_PAUSE_SECONDS = 0.1
HISTORY_SECONDS, HISTORY_MOST_BYTES = 30, 32 * 1024 * 1024
"""Its lines are limited in docker/etc/tmux.conf."""
BASE_VARIABLES = ("GITHUB_TOKEN", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "COLORTERM", "CONTAINERHUB_LENT_*")
# Before 3.5 tmux writes synchronized output in an old form (ESC P = 1 s) that xterm.js takes without a word and without effect.
# An override beats the feature; its place in the list keeps it from growing with each client. A bare semicolon at an end is tmux's own.
SYNC = ("set-option", "-s", "terminal-overrides[90]", r"xterm*:Sync=\E[?2026%?%p1%{1}%-%tl%eh%\;")

# A key that no keyboard has detaches the client that it came from, one that only watches too. Bound in each table that an open
# session may have, and not in docker/etc/tmux.conf: a container's server may be older than the hub.
LEAVE = b"\x1b[9127~"
LEAVING: tuple[str, ...] = ("set-option", "-s", "user-keys[90]", LEAVE.decode())
for _table in ("root", "copy-mode", "copy-mode-vi"):
    LEAVING += (";", "bind-key", "-T", _table, "User90", "detach-client")


def tmux(engine: Engine, ref: str, *words: str) -> Answer:
    return ask(engine, ref, (*TMUX, *words))


def sessions(engine: Engine, ref: str) -> set[str] | None:
    """The names of its sessions; None where no tmux server runs. Raises EngineError."""
    answer = tmux(engine, ref, "list-sessions", "-F", "#{session_name}")
    return set(answer.stdout.decode(errors="replace").split()) if answer.exit_code == 0 else None


def soon(engine: Engine, ref: str, *, seconds: float) -> set[str] | None:
    """The same of a container that was started this moment, whose server may not answer yet. Raises EngineError."""
    deadline = time.monotonic() + seconds
    while True:
        answer = tmux(engine, ref, "list-sessions", "-F", "#{session_name}")
        if answer.exit_code == 0:
            return set(answer.stdout.decode(errors="replace").split())
        if answer.exit_code in NOT_THERE or time.monotonic() > deadline:
            return None
        time.sleep(_PAUSE_SECONDS)


def places(engine: Engine, ref: str) -> dict[str, str] | None:
    """The directory of the process in front of each session; None where no tmux server runs. Raises EngineError."""
    answer = tmux(engine, ref, "list-sessions", "-F", "#{session_name}\t#{pane_current_path}")
    if answer.exit_code != 0:
        return None
    lines = answer.stdout.decode(errors="replace").split("\n")
    return {name: path[:1000] for name, _, path in (line.partition("\t") for line in lines if line)}


def history(engine: Engine, ref: str, name: str) -> bytes | None:
    """What a session's shell has shown and still shows, wrapped lines joined, without colours; None where it cannot be had.

    Raises EngineError."""
    command = (*TMUX, "-u", "capture-pane", "-p", "-J", "-S", "-", "-t", f"{target(name)}:")
    answer = ask(engine, ref, command, timeout_seconds=HISTORY_SECONDS, most_bytes=HISTORY_MOST_BYTES)
    return answer.stdout if answer.exit_code == 0 else None


def target(name: str) -> str:
    """Exactly this session: without the sign, tmux takes a beginning of a name too."""
    return f"={name}"


def lending(variables: Iterable[str]) -> tuple[str, ...]:
    """The command that lets new shells have the values that the asking client bears; names only, never a value."""
    return ("set-option", "-g", "update-environment", " ".join(sorted({*BASE_VARIABLES, *variables})))
