"""What the front door says, and how it stops."""

import sys
from typing import NoReturn


def say(line: str) -> None:
    print(f"-- {line}", flush=True)


def stop(line: str) -> NoReturn:
    """One line on stderr, status 1."""
    sys.stdout.flush()
    print(line, file=sys.stderr, flush=True)
    raise SystemExit(1)
