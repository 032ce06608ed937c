"""The short calls around an exec, made with the SDK: create, start's body, inspect."""

import time
from dataclasses import replace
from typing import Any, Protocol

import docker

from projects.engine.base import ExecSpec
from projects.engine.dial import Address
from projects.engine.errors import EngineError
from projects.engine.translate import translated

CONFIRM_SECONDS = 2.0
DETACH_KEYS = "ctrl-@,ctrl-_,ctrl-^,ctrl-],ctrl-@"
"""The Engine always looks for keys that detach, and holds back the first of them until the next key comes. Its own are Ctrl-P
and Ctrl-Q, which shells and editors need; of these only Ctrl-Space waits, for the movement that follows a mark."""
AWAIT_SIZE = 'n=0; while [ "$(stty size 2>/dev/null)" = "0 0" ] && [ $n -lt 300 ]; do n=$((n+1)); sleep 0.01; done; exec "$@"'
"""A few seconds at most; at once where the image has no `stty`."""


class ExecConnection(Address, Protocol):
    """What execs need of a connection: an address to dial, and this thread's SDK client."""

    @property
    def is_local(self) -> bool: ...

    def client(self) -> docker.APIClient: ...


def create(connection: ExecConnection, ref: str, spec: ExecSpec) -> str:
    """The id of a new exec, not started. Raises NoSuchObject, WrongState, EngineUnreachable."""
    with translated(connection.base_url):
        made: dict[str, Any] = connection.client().exec_create(
            ref,
            list(spec.command),
            stdin=spec.stdin,
            tty=spec.tty,
            user=spec.user,
            workdir=spec.working_dir or None,
            environment=dict(spec.environment) or None,
            detach_keys=DETACH_KEYS if spec.tty else None,
        )
    return str(made["Id"])


def knows_console_size(connection: ExecConnection) -> bool:
    """Whether the Engine takes a terminal's size with the start of an exec (API 1.42)."""
    return tuple(map(int, connection.api_version().split("."))) >= (1, 42)


def sized(connection: ExecConnection, spec: ExecSpec) -> ExecSpec:
    """Where the size comes only after the start, the command waits for it: a program that begins meanwhile may take the
    terminal for one of 80 by 24 and never hear of the change (tmux does so until it has attached)."""
    if not spec.tty or knows_console_size(connection):
        return spec
    return replace(spec, command=("sh", "-c", AWAIT_SIZE, "sh", *spec.command))


def start_body(connection: ExecConnection, spec: ExecSpec) -> dict[str, Any]:
    """The body that starts an exec; the terminal's size goes with it where the Engine can take it."""
    body: dict[str, Any] = {"Detach": False, "Tty": spec.tty}
    if spec.tty and knows_console_size(connection):
        body["ConsoleSize"] = [spec.rows, spec.cols]
    return body


def confirmed_exit_code(connection: ExecConnection, exec_id: str, *, wait_seconds: float = CONFIRM_SECONDS) -> int | None:
    """The exit code once the Engine says that the exec ended; None when it does not say so in time.

    A stream that was cut looks like one that ended, so only this tells them apart."""
    until = time.monotonic() + wait_seconds
    pause = 0.01
    while True:
        try:
            with translated(connection.base_url):
                found: dict[str, Any] = connection.client().exec_inspect(exec_id)
        except EngineError:
            return None
        if not found.get("Running") and isinstance(found.get("ExitCode"), int):
            return int(found["ExitCode"])
        if time.monotonic() + pause > until:
            return None
        time.sleep(pause)
        pause = min(pause * 2, 0.2)


def full_id(connection: ExecConnection, ref: str) -> str:
    """The docker_id of a container given by id or name. Raises NoSuchObject, EngineUnreachable."""
    if len(ref) == 64:
        return ref
    with translated(connection.base_url):
        return str(connection.client().inspect_container(ref)["Id"])
