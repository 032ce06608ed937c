"""What a fresh hub gets: an administrator, and a sample project over a real git repository."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction

from projects.engine.base import Mount
from projects.models import Event, Project
from projects.services.catalog import create_project
from projects.services.errors import Unready
from projects.services.lifecycle import ensure_container
from projects.services.record import HUB, record
from projects.services.spec import WORKSPACE
from projects.services.throwaway import run_as
from projects.services.workspace import owner_of
from projects.states import Wanted

SAMPLE = "sample"
CONTAINER_UID = 1000
"""Whom the sample's files belong to when the hub is root: the user of the image."""

_README = """\
# Sample

A project to try ContainerHub with. This directory is the container's /workspace; what is done there stays here.
"""
# Written once: whatever else stands in the directory is somebody's own, and stays as it is.
_FIRST_COMMIT = """\
set -eu
cd "$1"
export HOME=/tmp GIT_CONFIG_NOSYSTEM=1
git rev-parse -q --verify HEAD >/dev/null 2>&1 && exit 0
[ -z "$(ls -A | grep -vxE '\\.git|README\\.md')" ] || exit 0
printf %s "$2" >README.md
git init -q -b main
git add README.md
git -c user.name=ContainerHub -c user.email=hub@localhost commit -q -m "A sample project"
"""


@dataclass(frozen=True)
class Administrator:
    """`password` only where a random one was made just now."""

    username: str
    new: bool
    password: str = ""


def ensure_administrator() -> Administrator:
    """Make the first administrator where there is none. Raises Unready when his name belongs to somebody else."""
    users = get_user_model().objects
    present = users.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if present is not None:
        return Administrator(present.get_username(), new=False)
    name = settings.CONTAINERHUB.admin_username
    if users.filter(username=name).exists():
        raise Unready(f"There is no administrator, and {name} is somebody else: choose another CONTAINERHUB_ADMIN_USERNAME.")
    given = settings.CONTAINERHUB.admin_password
    password = given or secrets.token_urlsafe(12)
    with transaction.atomic():
        users.create_superuser(username=name, password=password)
        record("user.created", actor=HUB, message=f"The first administrator {name} was made.", username=name)
    return Administrator(name, new=True, password="" if given else password)


def ensure_sample() -> Project | None:
    """The sample project with its container wanted running, as long as its people did not decide otherwise.

    It is made on a hub that has never had a project. Answers None where there is none. Raises HubError, EngineError.
    """
    project = Project.objects.filter(slug=SAMPLE, path=str(_directory())).first()
    if project is None:
        if Event.objects.filter(kind="project.created").exists():
            return None
        project = create_project(actor=HUB, name="Sample", path=str(_made_directory()))
    if project.generation == 0:
        _first_commit(project)
    if project.generation == 0 or project.wanted == Wanted.RUNNING:
        ensure_container(project=project, actor=HUB)
    return project


def _directory() -> Path:
    root: Path = settings.CONTAINERHUB.workspace_roots[0]
    return Path(os.path.realpath(root)) / SAMPLE


def _made_directory() -> Path:
    """Made once, with its owner; no container has had it yet. Raises Unready."""
    path = _directory()
    try:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f".{SAMPLE}-{secrets.token_hex(4)}")
            fresh.mkdir(mode=0o755)
            if os.geteuid() == 0:
                os.chown(fresh, CONTAINER_UID, CONTAINER_UID)
            fresh.rename(path)
    except OSError as error:
        raise Unready(f"The sample's directory {path} cannot be made ({error.strerror}): correct CONTAINERHUB_WORKSPACE_ROOTS.") from error
    return path


def _first_commit(project: Project) -> None:
    """By git in a container, never on the host."""
    owner = owner_of(project.path)
    command = ("bash", "-c", _FIRST_COMMIT, "first-commit", WORKSPACE, _README)
    run_as(
        project=project, user=f"{owner.uid}:{owner.gid}", command=command, mounts=(Mount(project.path, WORKSPACE),), purpose="first-commit"
    )
