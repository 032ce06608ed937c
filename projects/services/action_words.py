"""What each action is called, and what it keeps and loses: the words of the confirm pages."""

from dataclasses import dataclass

from projects.states import BatchAction


@dataclass(frozen=True)
class Words:
    """`loses` empty: nothing is lost, so nothing is asked."""

    title: str
    verb: str
    keeps: tuple[str, ...] = ()
    loses: tuple[str, ...] = ()


_RUNNING = "Whatever runs in it: commands, terminals, agents at work."
_OUTSIDE = "Everything installed or written outside of /workspace and the Claude configuration."
_SETTINGS = "The project's settings, members, runs and events."

WORDS = {
    BatchAction.ENSURE: Words("Ensure the containers run", "Ensure"),
    BatchAction.START: Words("Start the containers", "Start"),
    BatchAction.CHECK_HEALTH: Words("Check the health", "Check health"),
    BatchAction.RUN_COMMAND: Words("Run a command", "Run a command"),
    BatchAction.REFRESH: Words(
        "Refresh the containers",
        "Refresh",
        keeps=(
            "The workspace, to the last file.",
            "Claude's configuration, login and history.",
            _SETTINGS,
            "The old container, until the new one has proven itself; it comes back if the new one fails.",
        ),
        loses=(_RUNNING, _OUTSIDE),
    ),
    BatchAction.STOP: Words(
        "Stop the containers",
        "Stop",
        keeps=("The container with everything in it.", "The workspace and Claude's configuration.", _SETTINGS),
        loses=(_RUNNING,),
    ),
    BatchAction.RESTART: Words(
        "Restart the containers",
        "Restart",
        keeps=("The container with everything in it.", "The workspace and Claude's configuration.", _SETTINGS),
        loses=(_RUNNING,),
    ),
    BatchAction.REMOVE_CONTAINER: Words(
        "Remove the containers",
        "Remove container",
        keeps=("The workspace, to the last file.", "Claude's configuration, login and history.", _SETTINGS),
        loses=("The container itself; ensure makes a new one.", _RUNNING, _OUTSIDE),
    ),
}

WITH_LAYER = (BatchAction.REFRESH, BatchAction.REMOVE_CONTAINER)
"""They lose what was installed and written in the container: its manifest tells what that is."""

DELETE = Words(
    "Delete the project",
    "Delete",
    keeps=("The workspace directory, to the last file.", "The events, which tell what happened."),
    loses=(
        "The project's container with everything in it and whatever runs there.",
        "Claude's configuration of this project: its login and history.",
        "Its settings, members, secrets, command runs and their output.",
    ),
)

LENDING = (
    "Only an administrator can switch this. While it is on, the container gets copies of the host's SSH keys and git settings, the hub's "
    "GitHub token and the host's Claude login: everyone who can run a command or open a terminal in this project can read and copy them, "
    "and so can every agent at work in it. A key of the project's own is the better way."
)
