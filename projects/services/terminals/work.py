"""Whether somebody works in a project's terminals: keys and output of late, and what runs in front of a shell."""

from datetime import datetime, timedelta

from django.db.models import Q

from projects.engine.base import Engine
from projects.models import Project, TerminalSession
from projects.services.terminals.tmux import tmux

LATELY = timedelta(minutes=15)
SHELLS = frozenset({"bash", "sh", "dash", "zsh", "fish", "ksh", "tmux", "tmux: server", ""})


def used_lately(project: Project, now: datetime) -> str:
    """A sentence about a terminal with input or output in the last quarter of an hour, or nothing."""
    since = now - LATELY
    rows = TerminalSession.objects.filter(Q(last_input_at__gt=since) | Q(last_output_at__gt=since), project=project, closed_at__isnull=True)
    name = rows.values_list("name", flat=True).first()
    return f"The terminal {name} was used in the last {LATELY.seconds // 60} minutes." if name else ""


def foreground_work(engine: Engine, ref: str) -> str:
    """A sentence about a process in front of a terminal's shell, or nothing. Asks the container only. Raises EngineError."""
    answer = tmux(engine, ref, "list-panes", "-a", "-F", "#{session_name}\t#{pane_current_command}")
    if answer.exit_code != 0:
        return ""  # no tmux server, so no terminals
    for line in answer.stdout.decode(errors="replace").splitlines():
        name, _, command = line.partition("\t")
        if command.strip().lstrip("-") not in SHELLS:
            return f"The terminal {name[:32]} runs {command.strip()[:50]}."
    return ""
