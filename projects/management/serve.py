"""`manage.py up`: first what a fresh hub needs, then web, worker and watcher under their supervisor, until Ctrl-C."""

import errno
import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.db import connections

from containerhub.processes import DATA_DIR, ROLES, end, end_leftovers
from containerhub.supervisor import write_conf
from projects.engine.errors import EngineError
from projects.management.setup import prepare, refuse, say
from projects.services.errors import HubError
from projects.services.filelock import FileLock
from projects.services.first_run import Administrator, ensure_administrator, ensure_sample
from projects.services.readiness import missing

READY_SECONDS = 60
STOP_SECONDS = 8
UNREADY_AGAIN_SECONDS = 30


def serve() -> None:
    """Returns after Ctrl-C or SIGTERM, all three processes stopped. One line and status 1 where it cannot start."""
    _on_signals(lambda number, _frame: sys.exit(128 + number))  # whatever is being prepared is finished by the next start
    lock = _lock()
    _clear()
    prepare()
    administrator = _administrator()
    _sample()
    connections.close_all()
    stop = threading.Event()
    _on_signals(lambda _number, _frame: stop.set())
    _supervise(stop, administrator)
    lock.release()


def _on_signals(do: Callable[[int, FrameType | None], object]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup
            signal.signal(number, do)


def _lock() -> FileLock:
    """One hub for a data directory."""
    lock = FileLock(settings.DATA_DIR / "up.lock")
    if not lock.take():
        refuse(f"ContainerHub serves {settings.DATA_DIR} already: stop that one first, or choose another CONTAINERHUB_DATA_DIR.")
    return lock


def _clear() -> None:
    """What a killed hub left is ended, and the port is free, before anything starts."""
    for role in ROLES:
        end_leftovers(role, settings.DATA_DIR)
    config = settings.CONTAINERHUB
    family = socket.AF_INET6 if ":" in config.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.host, config.port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                refuse(f"Port {config.port} of {config.host} is in use: end what uses it, or choose another CONTAINERHUB_PORT.")
            refuse(f"{config.host}:{config.port} cannot be served ({error.strerror}): correct CONTAINERHUB_HOST or CONTAINERHUB_PORT.")


def _administrator() -> Administrator:
    try:
        administrator = ensure_administrator()
    except HubError as error:
        refuse(str(error))
    if administrator.password:  # at once, since it is kept nowhere
        say(f"Administrator {administrator.username}, password {administrator.password} (shown only this once)")
    return administrator


def _sample() -> None:
    """Without it the hub serves all the same."""
    try:
        ensure_sample()
    except (HubError, EngineError) as error:
        say(f"The sample project: {error}")


def _supervise(stop: threading.Event, administrator: Administrator) -> None:
    conf = write_conf(settings.DATA_DIR, settings.BASE_DIR)
    surroundings = {key: value for key, value in os.environ.items() if key != "CONTAINERHUB_ADMIN_PASSWORD"}
    surroundings[DATA_DIR] = str(settings.DATA_DIR)
    supervisor = subprocess.Popen(
        [sys.executable, "-m", "containerhub.supervisor", str(conf)],
        cwd=settings.BASE_DIR,
        env=surroundings,
        stdin=subprocess.DEVNULL,
        process_group=0,  # Ctrl-C reaches us only, and we stop it
    )
    threading.Thread(target=_announce, args=(stop, administrator), daemon=True).start()
    while supervisor.poll() is None and not stop.wait(0.1):
        pass
    if not stop.is_set():
        stop.set()
        refuse(f"The supervisor ended (status {supervisor.returncode}); see {_logs()}. Start again with make up.")
    say("Stopping; the containers run on")
    supervisor.terminate()
    try:
        supervisor.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        end([supervisor.pid])
        supervisor.wait()


def _announce(stop: threading.Event, administrator: Administrator) -> None:
    """Say how to sign in as soon as it is ready, and what is awaited when that takes long."""
    config = settings.CONTAINERHUB
    late = time.monotonic() + READY_SECONDS
    while not _is_ready():
        if time.monotonic() > late:
            say(f"Not ready yet: {', '.join(missing()) or 'web'}; see {_logs()}")
            late = time.monotonic() + UNREADY_AGAIN_SECONDS
        if stop.wait(0.2):
            return
    which = "printed above" if administrator.password else "from CONTAINERHUB_ADMIN_PASSWORD" if administrator.new else "you know"
    say(f"ContainerHub is ready: {config.url}")
    say(f"Sign in as {administrator.username} with the password {which}; logs: {_logs()}; Ctrl-C stops it")


def _is_ready() -> bool:
    config = settings.CONTAINERHUB
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    line = http.client.HTTPConnection(host, config.port, timeout=5)
    try:
        line.request("GET", "/readyz", headers={"Host": "localhost"})
        return line.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def _logs() -> Path:
    return Path(settings.DATA_DIR) / "log"
