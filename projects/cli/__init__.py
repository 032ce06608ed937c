"""The `hub` command: everything that the page can do, from a shell on the hub's own machine.

It works directly on the database and the Engine, so it also works while the hub is down. Who may run it may read
the data directory, so it acts as an administrator; events bear the name of the operating system's user.
"""

import logging
import os
import pwd
import sys
from pathlib import Path
from typing import NoReturn

INTERRUPTED = 130


def main() -> None:
    """The console script: set Django up, then run the command line. Ends the process with its exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "containerhub.settings")
    try:
        import django

        django.setup()  # reads the keys in the data directory
        logging.getLogger().setLevel(logging.CRITICAL)  # an error is one line on stderr; --verbose brings the log back
        from projects.cli.app import app  # here, because models need Django first
    except PermissionError as error:
        _refuse(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    app(prog_name="hub")


def _refuse(error: PermissionError) -> NoReturn:
    """One sentence for a user of this machine whose hub it is not; nothing in the middle of a completion."""
    place = Path(error.filename or ".").absolute()
    if "_HUB_COMPLETE" not in os.environ:
        sys.stderr.write(
            f"hub: uid {os.geteuid()} may not use {place}, where this hub keeps its keys; run it as the user whose hub it is "
            f"(sudo -u {_owner_of(place)} hub ...), or set CONTAINERHUB_DATA_DIR to a directory of your own.\n"
        )
    sys.exit(1)


def _owner_of(place: Path) -> str:
    """Of the innermost part that can be seen."""
    for part in (place, *place.parents):
        try:
            return pwd.getpwuid(part.stat().st_uid).pw_name
        except (OSError, KeyError):
            continue
    return "root"
