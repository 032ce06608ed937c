"""The `hub` command: everything that the page can do, from a shell on the hub's own machine.

It works directly on the database and the Engine, so it also works while the hub is down. Who may run it may read
the data directory, so it acts as an administrator; events bear the name of the operating system's user.
"""

import logging
import os


def main() -> None:
    """The console script: set Django up, then run the command line. Ends the process with its exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "containerhub.settings")
    import django

    django.setup()
    logging.getLogger().setLevel(logging.CRITICAL)  # an error is one line on stderr; --verbose brings the log back
    from projects.cli.app import app  # here, because models need Django first

    app(prog_name="hub")
