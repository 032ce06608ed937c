"""The Claude CLI: the host's own, or the one in package-lock.json."""

import os
import platform
import shutil
from pathlib import Path

from containerhub.bootstrap.node_modules import MODULES
from containerhub.bootstrap.places import data_dir
from containerhub.bootstrap.say import say

VARIABLE = "CONTAINERHUB_CLAUDE_CLI_PATH"
INSTALLED = "claude-installed"
"""In the data directory: a link to the one of package-lock.json, so that `hub` from a shell finds what `make up` installed."""
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def is_wanted() -> bool:
    """The host has none of its own, and nobody named one."""
    return not (os.environ.get(VARIABLE) or shutil.which("claude"))


def prepare() -> None:
    """Name in the environment the one that npm installed, where it is wanted. Without any the hub goes on."""
    if not is_wanted():
        return
    binary = _binary()
    if binary is None:
        say(f"There is no Claude CLI (of this machine, {platform.machine()}), so containers start without it: name one in {VARIABLE}.")
        return
    os.environ[VARIABLE] = str(binary)
    _remember(binary)


def _remember(binary: Path) -> None:
    link = data_dir() / INSTALLED
    link.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (link.is_symlink() and link.readlink() == binary):
        link.unlink(missing_ok=True)
        link.symlink_to(binary)


def _binary() -> Path | None:
    machine = _MACHINES.get(platform.machine().lower(), "unknown")
    binary = MODULES / "@anthropic-ai" / f"claude-code-linux-{machine}" / "claude"
    return binary if binary.is_file() else None
