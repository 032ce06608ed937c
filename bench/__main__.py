"""Run every comparison on the Engine at hand and print one table.

Its containers bear a prefix of their own and are removed afterwards. `--quick` leaves out the plan's slow rounds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and 20 containers instead of 100")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="containerhub-bench-") as directory:
        os.environ.update(
            DJANGO_SETTINGS_MODULE="containerhub.settings",
            CONTAINERHUB_DATA_DIR=f"{directory}/data",
            CONTAINERHUB_WORKSPACE_ROOTS=f"{directory}/roots",
            CONTAINERHUB_NAME_PREFIX=f"bench{uuid.uuid4().hex[:6]}",
        )
        subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity=0"], check=True)
        import django

        django.setup()
        from bench.cases import run
        from bench.measure import show

        show(run(Path(directory), quick=options.quick))
    return 0


if __name__ == "__main__":
    sys.exit(main())
