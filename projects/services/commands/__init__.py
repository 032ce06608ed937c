"""Commands in a project's container: started, read into a spool, killed, and found again after a crash."""

from projects.services.commands.keeping import prune_spools
from projects.services.commands.kill import kill_command
from projects.services.commands.recover import is_over, mark_interrupted
from projects.services.commands.start import CommandResult, result_of, run_command, run_setup, start_command

__all__ = [
    "CommandResult",
    "is_over",
    "kill_command",
    "mark_interrupted",
    "prune_spools",
    "result_of",
    "run_command",
    "run_setup",
    "start_command",
]
