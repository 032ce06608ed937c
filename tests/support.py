"""What tests of every kind share."""

import time
from collections.abc import Callable


def wait_until(predicate: Callable[[], object], timeout: float = 10, *, reason: "str | Callable[[], str]" = "") -> None:
    """Return as soon as it holds; fail with the reason when it does not within `timeout` seconds."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {(reason() if callable(reason) else reason) or predicate}")
        time.sleep(0.05)
