"""Before the first process starts: tables, static files, the image."""

import hashlib
import sys
from pathlib import Path
from typing import NoReturn

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import DatabaseError

from projects.engine.base import BuildProgress
from projects.engine.errors import EngineError
from projects.services import base_image
from projects.services.errors import HubError


def say(line: str) -> None:
    sys.stdout.write(f"-- {line}\n")
    sys.stdout.flush()


def refuse(line: str) -> NoReturn:
    """One line on stderr, status 1."""
    sys.stderr.write(f"{line}\n")
    raise SystemExit(1)


def prepare(*, rebuild: bool = False) -> None:
    """All of it, repeatable, in no time when nothing changed; `rebuild` an image that is outdated. A failure is one line."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
    except DatabaseError as error:
        refuse(f"The database cannot be used ({' '.join(str(error).split())}): start it, or correct CONTAINERHUB_DATABASE_URL.")
    _collect_static()
    try:
        _image(rebuild)
    except (HubError, EngineError) as error:
        refuse(str(error))


def _collect_static() -> None:
    stamp = Path(settings.DATA_DIR) / "static-files"
    now = _static_digest()
    if stamp.is_file() and stamp.read_text() == now and Path(settings.STATIC_ROOT).is_dir():
        return
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    stamp.write_text(now)


def _static_digest() -> str:
    """Over path, size and time of every file, which a `git checkout` and an upgrade both change."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            digest.update(f"{name}\0{storage.size(name)}\0{storage.get_modified_time(name).timestamp()}\n".encode())
    return digest.hexdigest()


def _image(rebuild: bool) -> None:
    tag = settings.CONTAINERHUB.base_image
    if base_image.is_missing() or (rebuild and base_image.is_outdated()):
        say(f"Building the image {tag}")
        base_image.build(_show)
        say(f"The image {tag} is built")
    elif base_image.is_outdated():
        say(f"What {tag} is built from has changed since: build it anew with .venv/bin/hub build")


def _show(progress: BuildProgress) -> None:
    if progress.line.strip():
        sys.stdout.write(f"   {progress.line.rstrip()}\n")
        sys.stdout.flush()
