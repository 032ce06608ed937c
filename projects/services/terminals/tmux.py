"""The container's own tmux server, asked by execs of one command each: no shell reads a name."""

from collections.abc import Iterable

from projects.engine.base import Engine
from projects.services.asking import Answer, ask

# -N: a server started by an exec would bear that exec's marker and its secrets, and die with them.
TMUX = ("tmux", "-L", "hub", "-N")
BASE_VARIABLES = ("GITHUB_TOKEN", "GIT_ASKPASS", "GIT_TERMINAL_PROMPT", "COLORTERM", "CONTAINERHUB_LENT_*")


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
