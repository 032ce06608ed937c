"""A reachable Docker Engine: the one there is, or `docker.io` installed and started."""

import os
import shutil
import subprocess
import time
from pathlib import Path

from containerhub.bootstrap import apt
from containerhub.bootstrap.places import CHECKOUT, PYTHON, data_dir
from containerhub.bootstrap.run import run, status_of
from containerhub.bootstrap.say import say, stop

MANUAL = "https://docs.docker.com/engine/install/"
START_SECONDS = 60
RUN_DIR = Path("/var/run")


def prepare() -> None:
    """Reachable afterwards, or one line and status 1."""
    why = unreachable()
    if not why:
        return
    say(why)
    if os.environ.get("DOCKER_HOST") or os.environ.get("DOCKER_CONTEXT"):
        stop("DOCKER_HOST (or DOCKER_CONTEXT) names that Engine: start it, or correct the variable.")
    if not apt.usable():
        stop(f"ContainerHub needs a running Docker Engine: see {MANUAL}, start it, then try again.")
    if shutil.which("dockerd") is None:
        apt.install(["docker.io"], "the Docker Engine")
    if shutil.which("docker") is None:
        status_of(["apt-get", "-qq", "-y", "install", "docker-cli"])  # a package of its own from Debian 13 on; only people need it
    if not running("dockerd"):
        _start()
    _wait()


def unreachable() -> str:
    """Why the Engine does not answer, as one sentence; empty when it does."""
    done = subprocess.run(
        [PYTHON, "-m", "projects.engine.tool", "ping"], cwd=CHECKOUT, capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["The Docker Engine does not answer."])[-1]


def running(name: str) -> bool:
    """Whether a process of that name lives."""
    for place in Path("/proc").glob("[0-9]*/comm"):
        try:
            if place.read_text().strip() == name:
                return True
        except OSError:  # it just ended
            continue
    return False


def log_path() -> Path:
    return data_dir() / "dockerd.log"


def _start() -> None:
    if Path("/run/systemd/system").is_dir():
        say("Starting the Docker Engine (systemctl start docker)")
        run(["systemctl", "start", "docker"], "Starting the Docker Engine")
        return
    say(f"Starting the Docker Engine (dockerd; its log: {log_path()})")
    forget_dead(RUN_DIR / "docker.pid", "dockerd")
    forget_dead(RUN_DIR / "docker" / "containerd" / "containerd.pid", "containerd")
    log_path().parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with log_path().open("ab") as log:
        # A session of its own: neither Ctrl-C nor the end of make reaches it.
        subprocess.Popen(["dockerd"], cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)


def forget_dead(pid_file: Path, name: str) -> None:
    """Remove what a killed daemon left: it refuses to start while any process bears the number that stands there."""
    try:
        comm = Path("/proc", pid_file.read_text().strip(), "comm").read_text().strip()
    except OSError:
        comm = ""
    if comm != name:
        pid_file.unlink(missing_ok=True)


def _wait() -> None:
    deadline = time.monotonic() + START_SECONDS
    while why := unreachable():
        if time.monotonic() > deadline or not (running("dockerd") or Path("/run/systemd/system").is_dir()):
            stop(f"{why}\nThe Docker Engine did not start; its last words ({log_path()}):\n{_last_lines()}\nSee {MANUAL}.")
        time.sleep(0.5)
    say("The Docker Engine is up")


def _last_lines() -> str:
    try:
        return "\n".join(log_path().read_text(errors="replace").splitlines()[-15:])
    except OSError:
        return "(none)"
