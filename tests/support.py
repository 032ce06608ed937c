"""What tests of every kind share."""

import subprocess
import time
from collections.abc import Callable


def wait_until(predicate: Callable[[], object], timeout: float = 10, *, reason: "str | Callable[[], str]" = "") -> None:
    """Return as soon as it holds; fail with the reason when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {(reason() if callable(reason) else reason) or predicate}")
        time.sleep(0.05)


def first_number(process: "subprocess.Popen[str]") -> int:
    """What a process prints first."""
    assert process.stdout is not None
    return int(process.stdout.readline())
