"""`debian:bookworm-slim`, which our image is built from: pulled, or made from the Debian archive."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from containerhub.bootstrap import apt
from containerhub.bootstrap.places import CHECKOUT, PYTHON, base_image
from containerhub.bootstrap.run import run, status_of
from containerhub.bootstrap.say import say, stop

DEBIAN = "debian:bookworm-slim"
PULL_SECONDS = 20
TOOL = (str(PYTHON), "-m", "projects.engine.tool")


def is_built() -> bool:
    """The Engine answers and has what is built from it, so that nothing is left to do."""
    return _have(base_image())


def prepare() -> None:
    """There afterwards, unless what is built from it is there already."""
    if _have(base_image()) or _have(DEBIAN):
        return
    say(f"Pulling {DEBIAN}")
    if status_of([*TOOL, "pull", DEBIAN], quiet=True, timeout=PULL_SECONDS) == 0 and _have(DEBIAN):
        return
    say("It cannot be pulled, so it is made from the Debian archive (debootstrap)")
    if shutil.which("debootstrap") is None:
        if not apt.usable():
            stop(f"The image {DEBIAN} cannot be pulled: give the Engine a registry, or put the image on it (docker load), then try again.")
        apt.install(["debootstrap", "debian-archive-keyring"], f"to make {DEBIAN}")
    _make()


def _have(image: str) -> bool:
    return status_of([*TOOL, "have", image], quiet=True) == 0


def _make() -> None:
    with tempfile.TemporaryDirectory(prefix="containerhub-debian-") as place:
        root = Path(place) / "root"
        run(["debootstrap", "--variant=minbase", "bookworm", root], f"Making {DEBIAN}")
        shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
        (root / "var/cache/apt/archives/partial").mkdir(parents=True)
        for listing in (root / "var/lib/apt/lists").iterdir():
            shutil.rmtree(listing) if listing.is_dir() else listing.unlink()
        tar = subprocess.Popen(["tar", "--numeric-owner", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
        done = subprocess.run([*TOOL, "import", DEBIAN], cwd=CHECKOUT, stdin=tar.stdout)
        if tar.wait() or done.returncode or not _have(DEBIAN):
            stop(f"The image {DEBIAN} could not be put on the Engine; the reason stands above.")
    say(f"{DEBIAN} is made")
