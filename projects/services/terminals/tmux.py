"""The container's own tmux server, asked by execs of one command each: no shell reads a name."""

from collections.abc import Iterable

from projects.engine.base import Engine
from projects.services.asking import Answer, ask

# -N: a server started by an exec would bear that exec's marker and its secrets, and die with them.
TMUX = ("tmux", "-L", "hub", "-N")
BASE_VARIABLES = ("GITHUB_TOKEN", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "COLORTERM", "CONTAINERHUB_LENT_*")
# Before 3.5 tmux writes synchronized output in an old form (ESC P = 1 s) that xterm.js takes without a word and without effect.
# An override beats the feature; its place in the list keeps it from growing with each client. A bare semicolon at an end is tmux's own.
SYNC = ("set-option", "-s", "terminal-overrides[90]", r"xterm*:Sync=\E[?2026%?%p1%{1}%-%tl%eh%\;")


def tmux(engine: Engine, ref: str, *words: str) -> Answer:
    return ask(engine, ref, (*TMUX, *words))


def sessions(engine: Engine, ref: str) -> set[str] | None:
    """The names of its sessions; None where no tmux server runs. Raises EngineError."""
    answer = tmux(engine, ref, "list-sessions", "-F", "#{session_name}")
    return set(answer.stdout.decode(errors="replace").split()) if answer.exit_code == 0 else None


def target(name: str) -> str:
    """Exactly this session: without the sign, tmux takes a beginning of a name too."""
    return f"={name}"


def lending(variables: Iterable[str]) -> tuple[str, ...]:
    """The command that lets new shells have the values that the asking client bears; names only, never a value."""
    return ("set-option", "-g", "update-environment", " ".join(sorted({*BASE_VARIABLES, *variables})))
