"""Which directories may be a project's workspace, and whom they belong to."""

import os
import stat
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from containerhub.config import BASE_DIR
from projects.models import Project
from projects.services.errors import BadInput, Unready
from projects.services.safe_files import locked

PATH_MAX_CHARACTERS = 1000
SYSTEM_ITSELF = frozenset(
    {"/", "/home", "/media", "/mnt", "/opt", "/root", "/snap", "/srv", "/tmp", "/var/tmp"}  # noqa: S108 - refused, not used
    | {f"/var{below}" for below in ("", "/cache", "/lib", "/log", "/spool")}
)
SYSTEM_TREES = (
    *("/bin", "/boot", "/dev", "/etc", "/lib", "/lib32", "/lib64", "/proc", "/run", "/sbin", "/sys", "/usr"),
    *("/var/run", "/var/lib/docker", "/var/lib/containerd"),
)


@dataclass(frozen=True)
class Owner:
    uid: int
    gid: int


def path_lock() -> AbstractContextManager[None]:
    """Held around `checked_path` and the saving of the row, so that two nested workspaces cannot pass together."""
    return locked(settings.CONTAINERHUB.data_dir / "workspace-paths.lock")


def checked_path(path: str, *, project: Project | None = None) -> str:
    """The resolved path, if it may be a workspace; `project` is the one that has it, or is to have it.

    Raises BadInput. Hold `path_lock` until the path is saved.
    """
    resolved = _resolved(path)
    roots = _roots()
    if not any(_is_below(resolved, root) for root in roots):
        raise BadInput(f"The path {_shown(path)} is not below a workspace root ({', '.join(roots)}); choose a directory there.")
    _refuse_system(resolved)
    _refuse_hub_and_engine(resolved)
    _refuse_other_projects(resolved, project)
    owner = owner_of(resolved)
    _refuse_writable_parents(resolved, owner)
    if os.geteuid() not in (0, owner.uid):
        raise BadInput(
            f"The directory {resolved} belongs to uid {owner.uid}, but this hub runs as uid {os.geteuid()} and serves its own "
            "directories only; choose another, or run the hub as root."
        )
    return resolved


def checked_new_path(path: str, *, owner: Owner) -> str:
    """As `checked_path`, for a directory that is yet to be made, for that owner: its parent must be there, it must not.

    Nothing of it lies inside a workspace, where a container could change what the host is about to do. Raises BadInput.
    """
    place = Path(path)
    if not path.isprintable() or not place.is_absolute() or place.name in ("", "..", "."):
        raise BadInput(f"The path {_shown(path)} names no directory that could be made; write it from the root on.")
    resolved = os.path.join(_resolved(str(place.parent)), place.name)
    roots = _roots()
    if not any(_is_below(resolved, root) for root in roots):
        raise BadInput(f"The path {_shown(path)} is not below a workspace root ({', '.join(roots)}); choose one there.")
    if os.path.lexists(resolved):
        raise BadInput(f"The path {_shown(path)} is there already; choose another, or make a project of it as it is (hub add).")
    _refuse_system(resolved)
    _refuse_hub_and_engine(resolved)
    _refuse_other_projects(resolved, None)
    _refuse_writable_parents(resolved, owner)
    return resolved


def recheck(project: Project) -> Owner:
    """Ask again right before a container is made: its path still is what was checked. Answers the owner for `claude`.

    Raises Unready when it has vanished, was swapped for a link, or may not be a workspace any more.
    """
    try:
        resolved = checked_path(project.path, project=project)
    except BadInput as error:
        raise Unready(f"The workspace cannot be used now. {error}") from error
    if resolved != project.path:
        raise Unready(f"The workspace {project.path} is now a link to another place; put the directory back, then try again.")
    return demand_usable_owner(project)


def is_swapped(path: str) -> bool:
    """Whether the path of a workspace, or a directory above it, has become a link. A vanished one is not swapped."""
    return os.path.lexists(path) and os.path.realpath(path) != path


def owner_of(path: str) -> Owner:
    """Whom the directory belongs to. Raises OSError when it is gone."""
    found = os.lstat(path)
    return Owner(found.st_uid, found.st_gid)


def demand_usable_owner(project: Project) -> Owner:
    """The uid and gid that `claude` gets in the container; a group of root's becomes the owner's own number.

    Raises Unready for a workspace of root, or of another user where the hub is not root.
    """
    try:
        owner = owner_of(project.path)
    except OSError as error:
        raise Unready(f"The workspace {project.path} cannot be read ({error.strerror}); put it back, then try again.") from error
    if owner.uid == 0:
        raise Unready(
            f"The workspace {project.path} belongs to root, and a container never works as root; let an administrator change "
            "its owner in the project's settings, or with chown on the host."
        )
    if os.geteuid() not in (0, owner.uid):
        raise Unready(
            f"The workspace {project.path} belongs to uid {owner.uid}, but this hub runs as uid {os.geteuid()} and serves its own "
            "directories only; change the owner, or run the hub as root."
        )
    return owner if owner.gid else Owner(owner.uid, owner.uid)


# -- the rules, one function each -----------------------------------------------------------


def _resolved(path: object) -> str:
    if not isinstance(path, str) or not path.strip():
        raise BadInput("Give the workspace as an absolute path, for example /srv/projects/website.")
    if len(path) > PATH_MAX_CHARACTERS:
        raise BadInput(f"The path is longer than {PATH_MAX_CHARACTERS} characters; choose a shorter one.")
    if not path.isprintable():
        raise BadInput("The path has control characters in it; rename the directory, or write the path without them.")
    if not path.startswith("/"):
        raise BadInput(f"The path {_shown(path)} is not absolute; write it from the root on, for example /srv/projects/website.")
    try:
        resolved = os.path.realpath(path, strict=True)
        is_directory = stat.S_ISDIR(os.lstat(resolved).st_mode)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no path"
        raise BadInput(f"The path {_shown(path)} cannot be used ({reason}); make the directory first, or correct the path.") from error
    if not is_directory:
        raise BadInput(f"The path {_shown(path)} is not a directory; choose one.")
    if len(resolved) > PATH_MAX_CHARACTERS or not resolved.isprintable():
        raise BadInput(f"The path {_shown(path)} leads to a place whose own path is too long or has control characters; choose another.")
    return resolved


def _refuse_system(resolved: str) -> None:
    if resolved in SYSTEM_ITSELF or any(_is_in(resolved, tree) or _is_in(tree, resolved) for tree in SYSTEM_TREES):
        raise BadInput(f"The path {resolved} is a directory of the system; choose one that is a project's own.")


def _refuse_hub_and_engine(resolved: str) -> None:
    for place in (settings.CONTAINERHUB.data_dir, BASE_DIR):
        hub = os.path.realpath(place)
        if _is_in(resolved, hub) or _is_in(hub, resolved):
            raise BadInput(f"The path {resolved} is inside or around the hub's own directory {hub}; choose another.")
    if _is_in(os.path.realpath(Path.home()), resolved):
        raise BadInput(f"The path {resolved} holds the hub's home directory with its keys; choose a directory further down.")
    for socket in _docker_sockets():
        if _is_in(socket, resolved):
            raise BadInput(f"The path {resolved} holds the Docker socket, which gives the whole host away; choose another.")


def _docker_sockets() -> Iterable[str]:
    for place in (
        os.environ.get("DOCKER_HOST", ""),
        "/var/run/docker.sock",
        "/run/docker.sock",
        "/run/containerd/containerd.sock",
        os.environ.get("XDG_RUNTIME_DIR", "/run") + "/docker.sock",
        str(Path.home() / ".docker/run/docker.sock"),
    ):
        path = place.removeprefix("unix://")
        if path.startswith("/"):
            yield os.path.realpath(path)
            yield os.path.normpath(path)


def _refuse_other_projects(resolved: str, project: Project | None) -> None:
    others = Project.objects.exclude(pk=project.pk) if project and project.pk else Project.objects.all()
    for slug, taken in others.values_list("slug", "path"):
        if resolved == taken:
            raise BadInput(f"The path {resolved} is the workspace of the project {slug} already; choose another.")
        if _is_in(resolved, taken) or _is_in(taken, resolved):
            raise BadInput(f"The path {resolved} is inside or around the workspace of the project {slug} ({taken}); choose another.")


def _refuse_writable_parents(resolved: str, owner: Owner) -> None:
    """A container works with the workspace owner's uid and gid: who may write a parent may swap the workspace for a link.

    Where the hub itself runs as that uid, its user swaps what he likes anyway.
    """
    for parent in Path(resolved).parents:
        found = os.lstat(parent)
        sticky = found.st_mode & stat.S_ISVTX
        by_anyone = found.st_mode & stat.S_IWOTH and not sticky
        by_group = found.st_mode & stat.S_IWGRP and not sticky and found.st_gid == owner.gid
        by_owner = found.st_mode & stat.S_IWUSR and found.st_uid == owner.uid
        if by_anyone or ((by_group or by_owner) and owner.uid not in (0, os.geteuid())):
            who = "anyone" if by_anyone else "the owner of the workspace"
            raise BadInput(
                f"The directory {parent} above the workspace can be written by {who}, so that a container's user could swap the "
                f"workspace for a link; take that right away (chown root or chmod o-w,g-w {parent}), or choose another directory."
            )


# -- comparing paths ------------------------------------------------------------------------


def _roots() -> list[str]:
    return [os.path.realpath(root) for root in settings.CONTAINERHUB.workspace_roots]


def _is_in(path: str, tree: str) -> bool:
    """`path` is `tree` or below it. Both are resolved."""
    return path == tree or _is_below(path, tree)


def _is_below(path: str, tree: str) -> bool:
    return path != tree and path.startswith(tree.rstrip(os.sep) + os.sep)


def _shown(path: str) -> str:
    return path if len(path) <= 200 else path[:200] + "…"
