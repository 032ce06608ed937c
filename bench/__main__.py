"""Run every comparison on the Engine at hand and print one table.

Its containers bear a prefix of their own and are removed afterwards. `--quick` leaves out the plan's slow rounds.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Sequence
from pathlib import Path

PARTS = ("cases", "consoles", "fleet", "dashboard")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, and 20 containers instead of 100")
    parser.add_argument("--only", choices=PARTS, nargs="+", default=PARTS, help="some of the parts")
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
        return _run(Path(directory), options.only, quick=options.quick)


def _run(directory: Path, parts: Sequence[str], *, quick: bool) -> int:
    """1 when an aim was missed; lost output raises."""
    from bench import cases, consoles, dashboard, fleet
    from bench.figures import Figure, show_figures
    from bench.measure import Row, show

    rows: list[Row] = []
    figures: list[Figure] = []
    if "cases" in parts:
        rows += cases.run(directory, quick=quick)
    if "consoles" in parts:
        figures += consoles.run(directory, quick=quick)
    if "fleet" in parts:
        more_rows, more = fleet.run(directory, quick=quick)
        rows, figures = rows + more_rows, figures + more
    if "dashboard" in parts:  # last: it leaves a thousand projects in the database
        figures += dashboard.run(directory, quick=quick)
    if rows:
        show(rows)
    show_figures(figures)
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main())
