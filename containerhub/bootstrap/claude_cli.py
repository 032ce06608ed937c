"""The Claude CLI: the host's own, or the one in package-lock.json."""

import os
import platform
import shutil
from pathlib import Path

from containerhub.bootstrap import node_modules
from containerhub.bootstrap.places import data_dir
from containerhub.bootstrap.say import say

VARIABLE = "CONTAINERHUB_CLAUDE_CLI_PATH"
INSTALLED = "claude-installed"
"""In the data directory: a link to the one of package-lock.json, so that `hub` from a shell finds what `make up` installed."""
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}


def prepare() -> None:
    """Name a CLI in the environment when the host has none of its own. Without the registry the hub goes on without."""
    if os.environ.get(VARIABLE) or shutil.which("claude"):
        return
    if not node_modules.prepare():
        say("The Claude CLI could not be installed, so containers start without it: install it, or name one in " + VARIABLE + ".")
        return
    binary = _binary()
    if binary is None:
        say(f"There is no Claude CLI for this machine ({platform.machine()}), so containers start without it; name one in {VARIABLE}.")
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
    binary = node_modules.MODULES / "@anthropic-ai" / f"claude-code-linux-{machine}" / "claude"
    return binary if binary.is_file() else None
