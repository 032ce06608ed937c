"""Keys that the hub makes once and keeps in its data directory, mode 0600."""

import os
from collections.abc import Callable
from pathlib import Path


def kept_secret(path: Path, make: Callable[[], str]) -> str:
    """The content of `path`; made by `make` if there is none. Safe when several processes start at once."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        pass
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        stream.write(make() + "\n")
    try:
        os.link(fresh, path)  # fails if another process was first: theirs counts
    except FileExistsError:
        pass
    finally:
        os.unlink(fresh)
    return path.read_text().strip()
