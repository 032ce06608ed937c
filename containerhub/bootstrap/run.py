"""Child processes of the front door: none of them reads our terminal, and none outlives us."""

import ctypes
import os
import signal
import subprocess
from collections.abc import Sequence

from containerhub.bootstrap.places import CHECKOUT, PYTHON
from containerhub.bootstrap.say import stop

PR_SET_PDEATHSIG = 1


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Have the kernel send us this signal when our parent dies, also after an exec. Linux only; elsewhere nothing."""
    parent = os.getppid()
    try:
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    except (AttributeError, OSError):
        return
    if os.getppid() != parent:  # it died before the kernel knew
        os.kill(os.getpid(), number)


def run(command: Sequence[object], what: str) -> None:
    """Run it with its output shown. A failure stops everything, with `what` in the line that says so."""
    status = status_of(command)
    if status:
        stop(f"{what} failed: the command {' '.join(map(str, command[:4]))} … ended with status {status}; its own words stand above.")


def status_of(command: Sequence[object], *, quiet: bool = False, timeout: float | None = None) -> int:
    """Its exit status; 124 when it took longer than `timeout` seconds, 127 when there is no such program."""
    output = subprocess.DEVNULL if quiet else None
    try:
        return subprocess.run(
            [str(part) for part in command],
            cwd=CHECKOUT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=timeout,
            preexec_fn=die_with_parent,
        ).returncode
    except subprocess.TimeoutExpired:
        return 124
    except FileNotFoundError:
        return 127


def become(*arguments: str) -> None:
    """Go on as this Python program of the virtual environment, under the same process id."""
    os.chdir(CHECKOUT)
    os.execv(PYTHON, [str(PYTHON), *arguments])  # noqa: S606 - no shell is the point
