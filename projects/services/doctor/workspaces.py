"""The projects' own directories, and what a clone that was killed left beside them. Nothing in them is opened."""

import os
import stat
import time
from collections.abc import Iterator

from django.conf import settings

from projects.models import Project
from projects.services.cloning import GROWING
from projects.services.doctor.engine import used_percent
from projects.services.doctor.finding import Finding, error, warning, well
from projects.services.throwaway import TIMEOUT_SECONDS

DISK_WARNING_PERCENT = 90


def workspaces() -> Iterator[Finding]:
    """Each is there, and belongs to somebody whom a container can work as."""
    check, fine = "workspaces", 0
    for project in Project.objects.all():
        try:
            found = os.lstat(project.path)
        except OSError as failure:
            remedy = f"Bring it back, or remove the project: hub rm {project.slug}."
            yield error(check, f"The workspace of {project.slug}, {project.path}, cannot be used ({failure.strerror}).", remedy)
            continue
        if not stat.S_ISDIR(found.st_mode):
            remedy = "See what took its place before the container is started again."
            yield error(check, f"The workspace of {project.slug}, {project.path}, is no directory any more.", remedy)
        elif found.st_uid == 0:
            remedy = f"Give it to its people: hub chown {project.slug}."
            yield warning(check, f"The workspace of {project.slug} belongs to root, so it gets no container.", remedy)
        else:
            fine += 1
    yield well(check, f"{fine} are there and belong to their people.")


def workspace_disks() -> Iterator[Finding]:
    for root in settings.CONTAINERHUB.workspace_roots:
        if not root.is_dir():
            continue  # told of by the check of the roots
        used = used_percent(str(root))
        said = f"The disk of {root} is {used:.0f} % full."
        if used >= DISK_WARNING_PERCENT:
            yield warning("workspace disk", said, "Make room on it: a full disk stops builds and checkouts in every project there.")
        else:
            yield well("workspace disk", said)


def clones() -> Iterator[Finding]:
    """A clone takes an hour at most, so what is older was left by one that was killed."""
    old = [entry.path for root in settings.CONTAINERHUB.workspace_roots if root.is_dir() for entry in os.scandir(root) if _left(entry)]
    if old:
        yield warning("clones", f"A clone that was killed left {', '.join(old)}.", f"Remove it: rm -r {' '.join(old)}")
    else:
        yield well("clones", "None was left half made.")


def _left(entry: "os.DirEntry[str]") -> bool:
    return entry.name.startswith(GROWING) and time.time() - entry.stat(follow_symlinks=False).st_mtime > TIMEOUT_SECONDS
