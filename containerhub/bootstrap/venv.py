"""The virtual environment in `.venv`, filled from the lock; in no time when nothing changed."""

import hashlib
import shutil
import subprocess
import sys

from containerhub.bootstrap import apt
from containerhub.bootstrap.places import CHECKOUT, PYTHON, VENV
from containerhub.bootstrap.run import run, status_of
from containerhub.bootstrap.say import say, stop

STAMP = VENV / "installed"
LOCKS = ("base", "dev", "bench")
"""Each holds all of the one before."""


def prepare(lock: str) -> None:
    """Have `requirements/<lock>.txt` and the hub itself installed; one that holds more will do."""
    have = STAMP.read_text().split("\n") if STAMP.exists() and PYTHON.exists() else []
    if any(_wanted(enough) in have for enough in LOCKS[LOCKS.index(lock) :]):
        return
    _make()
    say(f"Installing the locked dependencies (requirements/{lock}.txt)")
    pip = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--progress-bar", "off"]
    run([*pip, "--require-hashes", "-r", f"requirements/{lock}.txt"], "Installing the locked dependencies")
    run([*pip, "--quiet", "--no-deps", "--no-build-isolation", "--editable", "."], "Installing the hub itself")
    STAMP.write_text(_wanted(lock) + "\n")


def _wanted(lock: str) -> str:
    """What the stamp says when all is as the lock and pyproject.toml have it."""
    digest = hashlib.sha256(sys.version.encode())
    for name in (f"requirements/{lock}.txt", "pyproject.toml"):
        digest.update((CHECKOUT / name).read_bytes())
    digest.update(str(CHECKOUT).encode())  # a moved checkout has scripts that name the old place
    return f"{lock} {digest.hexdigest()}"


def _make() -> None:
    if PYTHON.exists() and _version_inside() == sys.version and status_of([PYTHON, "-m", "pip", "--version"], quiet=True) == 0:
        return
    if sys.prefix != sys.base_prefix and VENV.samefile(sys.prefix):
        stop("Leave the virtual environment first (deactivate): it has to be made anew.")
    say(f"Making the virtual environment in {VENV}")
    shutil.rmtree(VENV, ignore_errors=True)
    _need_ensurepip()
    run([sys.executable, "-m", "venv", VENV], "Making the virtual environment")


def _need_ensurepip() -> None:
    """Debian keeps it in a package of its own."""
    if status_of([sys.executable, "-c", "import ensurepip"], quiet=True) == 0:
        return
    package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    if not apt.usable():
        stop(f"This Python cannot make virtual environments: install {package} (apt-get install {package}), then try again.")
    apt.install([package], "for the virtual environment")


def _version_inside() -> str:
    done = subprocess.run([PYTHON, "-c", "import sys; print(sys.version)"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    return done.stdout.rstrip("\n")
