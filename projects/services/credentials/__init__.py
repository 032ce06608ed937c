"""Everything of the host's that a container is given beside its workspace."""

import os
from dataclasses import dataclass, field

from projects.engine.base import Mount
from projects.models import Project
from projects.services.credentials.claude_cli import kept_cli, remove_unused_clis
from projects.services.credentials.claude_config import TARGET as CONFIG_TARGET
from projects.services.credentials.claude_config import config_directory, kept_config, remove_config
from projects.services.credentials.lent import exec_environment, keep_lent, lent_for_a_while, remove_lent, secret_values, update_lent
from projects.services.errors import Unready

__all__ = [
    "Lent",
    "config_directory",
    "exec_environment",
    "hand_over",
    "lent_for_a_while",
    "prepare",
    "remove_config",
    "remove_lent",
    "remove_unused_clis",
    "secret_values",
    "update_lent",
]


@dataclass(frozen=True)
class Lent:
    """What a container is made with; `notes` say in a sentence each what was left out and why. No secret stands here."""

    mounts: tuple[Mount, ...] = ()
    environment: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def hand_over(project: Project) -> None:
    """Bring what is lent up to date after a change that is saved already. Raises Unready, with what to do about the files."""
    try:
        update_lent(project)
    except OSError as error:
        raise Unready(
            f"The change is kept, but its file could not be written ({error.strerror}); free space in the hub's data directory, "
            "then refresh the container."
        ) from error


def prepare(project: Project, *, uid: int, gid: int, engine_is_local: bool) -> Lent:
    """Make or bring up to date all that the project's next container mounts, owned by its `claude` (`uid`, `gid`).

    Repeatable. Raises Unready when the hub cannot give files to that user, and what an Engine raises.
    """
    environment = {"CLAUDE_CONFIG_DIR": CONFIG_TARGET, "GIT_ASKPASS": "/usr/local/bin/git-askpass-helper"}
    if not engine_is_local:
        left_out = "The Engine is on another machine, so the Claude CLI, its config directory, git logins and SSH keys were left out."
        return Lent(environment=environment, notes=(left_out,))
    if os.geteuid() not in (0, uid):
        raise Unready(f"The hub runs as uid {os.geteuid()} and cannot give files to uid {uid}; run it as root, or change the owner.")
    config = kept_config(project, uid=uid, gid=gid)
    lent_mounts, lent_notes = keep_lent(project, uid=uid, gid=gid)
    mounts = [Mount(str(config.path), CONFIG_TARGET), *lent_mounts]
    cli, cli_note = kept_cli()
    if cli is not None:
        mounts.append(Mount(str(cli), "/usr/local/bin/claude", read_only=True))
        environment["CONTAINERHUB_HAS_CLAUDE_CLI"] = "1"
    notes = (*((cli_note,) if cli_note else ()), *config.notes, *lent_notes)
    return Lent(mounts=tuple(mounts), environment=environment, notes=notes)
