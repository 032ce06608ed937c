"""An administrator's change of a workspace's owner: the one thing that the hub ever changes in a workspace."""

import os

from django.conf import settings
from django.db import transaction

from projects.engine.base import Mount
from projects.models import Project
from projects.services import throwaway
from projects.services.claims import held, take_claim
from projects.services.credentials import config_directory
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Busy, Unready
from projects.services.record import Actor, record
from projects.services.spec import container_name
from projects.services.workspace import checked_path
from projects.states import Action, Status

HIGHEST_ID = 2**31 - 1
PURPOSE = "chown"


def change_owner(*, project: Project, actor: Actor, uid: int = 1000, gid: int = 1000) -> None:
    """Give the workspace, and the project's Claude config directory, to `uid` and `gid`.

    It runs in a throw-away container and follows no link. Raises BadInput; Busy while the project's container runs or an
    action is under way; Unready; ImageMissing; what an Engine raises.
    """
    for number in (uid, gid):
        if not isinstance(number, int) or isinstance(number, bool) or not 1 <= number <= HIGHEST_ID:
            raise BadInput(f"Give a user and a group number between 1 and {HIGHEST_ID}, not root's; 1000 is usual.")
    if os.geteuid() != 0:
        raise Unready("Only a hub that runs as root can change owners; use chown on the host.")
    # A stop that joins this claim gets a true answer: the container does not run.
    claim = take_claim(project, Action.STOP)
    if claim is None:
        project.refresh_from_db()
        raise Busy(f"A {project.pending_action} is under way on {project.slug}; wait until it is done, then try again.")
    with held(claim):
        project.refresh_from_db()
        _refuse_running(project)
        path = _same_path(project)
        claim.confirm()
        _chown(project, Mount(path, "/workspace"), uid=uid, gid=gid)
        if config_directory(project.slug).is_dir():
            claim.confirm()
            _chown(project, Mount(str(config_directory(project.slug)), "/claude-config"), uid=uid, gid=gid)
        with transaction.atomic():
            claim.confirm()
            message = f"Gave the workspace {path} to uid {uid} and gid {gid}."
            record("workspace.owner_changed", actor=actor, project=project, message=message, uid=uid, gid=gid)


def _refuse_running(project: Project) -> None:
    found = current_engine().containers.inspect(container_name(project, settings.CONTAINERHUB))
    if found is not None and found.status not in (Status.CREATED, Status.EXITED, Status.DEAD):
        raise Busy(f"The container of {project.slug} is {found.status}; stop it, then change the owner.")


def _same_path(project: Project) -> str:
    try:
        path = checked_path(project.path, project=project)
    except BadInput as error:
        raise Unready(f"The workspace cannot be used now. {error}") from error
    if path != project.path:
        raise Unready(f"The workspace {project.path} is now a link to another place; put the directory back, then try again.")
    return path


def _chown(project: Project, mount: Mount, *, uid: int, gid: int) -> None:
    # -xdev: nothing that is mounted below; -h: links themselves, never what they name.
    command = ("find", "-P", mount.target, "-xdev", "-exec", "chown", "-h", f"{uid}:{gid}", "{}", "+")
    throwaway.run_as_root(project=project, command=command, mounts=(mount,), purpose=PURPOSE)
