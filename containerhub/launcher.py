"""`python -m containerhub.launcher web|worker|watcher`: one of the hub's processes, with nothing left when it ends.

The supervisor kills no process group, neither when it dies nor when a leader does. So each program runs below one of
these: it ends with its supervisor, ends what an earlier start left, and ends everything below it when it goes.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import FrameType

from containerhub.processes import DATA_DIR, LAUNCHER, ROLE, ROLES, become_subreaper, descendants, die_with_parent, end, end_leftovers

CHECKOUT = Path(__file__).resolve().parent.parent
GRACE_SECONDS = {"web": 3.0, "worker": 3.0, "watcher": 2.0}
"""For a stop, which takes the supervisor another second: a killed one must leave nothing after 5 s."""

LEAST_SECONDS = 2
"""We live at least that long: the supervisor waits longer and longer before it starts what ended at once."""


def command_of(role: str) -> list[str]:
    if role == "web":
        return web_command()
    if role == "worker":
        return [sys.executable, "-m", "containerhub.worker"]
    return [sys.executable, "manage.py", "watch"]


def web_command() -> list[str]:
    """uvicorn; it believes the headers of named proxies only, and its own defaults would believe every local one."""
    from containerhub.config import load  # here, so that the other two start without it

    settings = load()
    proxies = settings.trusted_proxies
    return [
        *(sys.executable, "-m", "uvicorn", "containerhub.asgi:application"),
        *("--host", settings.host, "--port", str(settings.port)),
        *("--ws", "containerhub.websockets:Protocol", "--ws-ping-interval", "20", "--ws-max-size", "1048576"),
        *("--timeout-graceful-shutdown", "2"),
        *("--no-access-log", "--no-server-header", "--log-level", "warning"),
        *(("--proxy-headers", "--forwarded-allow-ips", ",".join(proxies)) if proxies else ("--no-proxy-headers",)),
    ]


def _data_dir() -> Path:
    """As the supervisor has it in its environment; else from the settings."""
    given = os.environ.get(DATA_DIR, "")
    if given.startswith("/"):
        return Path(given)
    from containerhub.config import load

    return load().data_dir


def main(role: str) -> int:
    """The program's exit status; 128 and the signal's number when one ended it."""
    die_with_parent()
    data_dir = _data_dir()
    _mark(role, data_dir)
    become_subreaper()
    stop = _Stop()
    end_leftovers(role, data_dir)
    surroundings = {**os.environ, ROLE: role, DATA_DIR: str(data_dir)}
    surroundings.pop(LAUNCHER, None)
    started = time.monotonic()
    program = subprocess.Popen(
        command_of(role),
        cwd=CHECKOUT,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        preexec_fn=lambda: die_with_parent(signal.SIGKILL),
    )
    status = _follow(program, stop, GRACE_SECONDS[role])
    end(descendants([os.getpid()]))
    while not stop.asked and time.monotonic() < started + LEAST_SECONDS:
        time.sleep(0.05)
    return status if status >= 0 else 128 - status


class _Stop:
    """Notes that we were asked to stop, from the first moment on."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def _mark(role: str, data_dir: Path) -> None:
    """Bear the marks ourselves: /proc shows the environment that an exec was given, so the first start is a second one."""
    marks = {ROLE: role, DATA_DIR: str(data_dir), LAUNCHER: "1"}
    if any(os.environ.get(name) != value for name, value in marks.items()):
        os.execve(sys.executable, [sys.executable, "-m", "containerhub.launcher", role], {**os.environ, **marks})  # noqa: S606


def _follow(program: "subprocess.Popen[bytes]", stop: _Stop, grace_seconds: float) -> int:
    """Wait for its end and reap what ends below us; once asked, stop it within the grace."""
    deadline = None
    while True:
        status = _reap(program.pid)
        if status is not None:
            return status
        if stop.asked and deadline is None:
            program.send_signal(signal.SIGTERM)
            deadline = time.monotonic() + grace_seconds
        if deadline is not None and time.monotonic() > deadline:
            program.kill()
        time.sleep(0.05)


def _reap(wanted: int) -> int | None:
    """Collect every child that ended, and answer the exit status of `wanted` (negative: the signal) once it did."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return 1
        if pid == wanted:
            return os.waitstatus_to_exitcode(status)
        if pid == 0:
            return None


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in ROLES:
        sys.exit(f"Usage: python -m containerhub.launcher {'|'.join(ROLES)}")
    sys.exit(main(sys.argv[1]))
