"""`python -m tests.pictures`: every picture under docs/screenshots/, of hubs that are made on the way. Needs what `make test` installs."""

import os
import subprocess
import sys

from tests.admin import pictures


def main() -> int:
    """1 when one of them could not be taken."""
    pages = subprocess.run([sys.executable, "-m", "pytest", "-q", "tests/browser"], env={**os.environ, "PICTURES": "1"}, check=False)
    return int(any([pictures.main(), pages.returncode]))


if __name__ == "__main__":
    sys.exit(main())
