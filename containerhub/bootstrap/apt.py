"""Debian's and Ubuntu's packages, where we may install them."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from containerhub.bootstrap.run import run
from containerhub.bootstrap.say import say

_updated = False


def usable() -> bool:
    """Debian or Ubuntu (or a child of theirs), as root."""
    return os.geteuid() == 0 and shutil.which("apt-get") is not None and Path("/etc/debian_version").exists()


def install(packages: Sequence[str], why: str) -> None:
    """Install them, each with what it cannot do without. A failure stops everything."""
    global _updated
    say(f"Installing {', '.join(packages)} ({why})")
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    if not _updated:
        run(["apt-get", "-qq", "-o", "DPkg::Lock::Timeout=300", "update"], "Reading Debian's package lists")
        _updated = True
    options = ["-qq", "-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Use-Pty=0", "-y", "--no-install-recommends"]
    run(["apt-get", *options, "install", *packages], f"Installing {', '.join(packages)}")
