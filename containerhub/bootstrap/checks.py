"""`make lint`, `make test`: each check by its name, all of them to the end, the first failure's status at last."""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from containerhub.bootstrap import apt
from containerhub.bootstrap.places import CHECKOUT, PYTHON, VENV
from containerhub.bootstrap.run import status_of
from containerhub.bootstrap.say import say, stop

BIN = VENV / "bin"

TEST_TOOLS = {
    "chromium": "chromium",
    "nginx": "nginx",
    "fcgiwrap": "fcgiwrap",
    "git": "git",
    "debootstrap": "debootstrap",
    "docker": "docker-cli",
    "sshd": "openssh-server",
    "zsh": "zsh",
}
"""What tests run on the host: program -> the Debian package that holds it."""

KEPT = ("CONTAINERHUB_BASE_IMAGE", "CONTAINERHUB_CLAUDE_CLI_PATH", "CONTAINERHUB_EXTRA_CA_DIR", "CONTAINERHUB_NODE_VERSION")


@dataclass(frozen=True)
class Check:
    name: str
    command: Sequence[object]


def static() -> list[Check]:
    scripts = [".ci/run", *sorted(str(path.relative_to(CHECKOUT)) for path in (CHECKOUT / "docker").rglob("*.sh"))]
    sources = ["containerhub", "projects", "tests", "bench", "manage.py"]
    return [
        Check("ruff", [BIN / "ruff", "check", *sources]),
        Check("format", [BIN / "ruff", "format", "--check", *sources]),
        Check("types", [BIN / "mypy", *sources]),
        Check("layers", [BIN / "lint-imports"]),
        Check("shell", [BIN / "shellcheck", *scripts]),
        Check("migrations", [PYTHON, "manage.py", "makemigrations", "--check", "--dry-run"]),
    ]


def tests() -> list[Check]:
    """In so many processes as TEST_WORKERS says. Each file stays in one, since its tests share a hub."""
    workers = os.environ.get("TEST_WORKERS", "")
    parallel = [f"--numprocesses={workers}", "--dist=loadfile"] if workers else []
    return [Check("tests", [PYTHON, "-m", "pytest", "--durations=15", *parallel])]


def need_test_tools() -> None:
    """Have the programs that tests run on the host."""
    missing = sorted({package for program, package in TEST_TOOLS.items() if shutil.which(program, path=_path()) is None})
    if not missing:
        return
    if not apt.usable():
        stop(f"The tests need {', '.join(missing)}: install them (apt-get install {' '.join(missing)}), then try again.")
    apt.install(missing, "for the tests")


@contextmanager
def own_settings() -> Iterator[None]:
    """Neither the settings nor the data directory of the machine's own hub; only what the Engine and the image need."""
    for name in [name for name in os.environ if name.startswith("CONTAINERHUB_") and name not in KEPT]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="containerhub-test-") as place:
        os.environ["CONTAINERHUB_DATA_DIR"] = place
        yield


def run_all(checks: Sequence[Check]) -> int:
    """0, or the status of the first that failed."""
    first = 0
    failed = []
    for check in checks:
        say(check.name)
        started = time.monotonic()
        status = status_of(check.command)
        say(f"{check.name}: {'ok' if status == 0 else f'FAILED with status {status}'} ({time.monotonic() - started:.0f} s)")
        if status:
            failed.append(check.name)
            first = first or status
    say(f"Failed: {', '.join(failed)}" if failed else "All is well")
    return first


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])
