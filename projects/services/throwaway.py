"""One command in a container made for it alone: for what the host may not do in a directory that a container has had."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from projects.engine.base import ContainerSpec, ExecSpec, Mount
from projects.engine.errors import NoSuchObject
from projects.models import Project
from projects.services.engines import current_engine
from projects.services.errors import ImageMissing, Unready
from projects.services.instance import instance_id
from projects.services.spec import hub_labels
from projects.states import Stream

LABEL_PURPOSE = "io.containerhub.throwaway"
TIMEOUT_SECONDS = 3600


def run_as_root(*, project: Project, command: tuple[str, ...], mounts: tuple[Mount, ...], purpose: str) -> None:
    """As `run_as`, as root."""
    run_as(project=project, user="0:0", command=command, mounts=mounts, purpose=purpose)


def run_as(*, project: Project, user: str, command: tuple[str, ...], mounts: tuple[Mount, ...], purpose: str) -> None:
    """Run the command to its end in a container of the project's image, without network, and remove the container.

    Raises ImageMissing; Unready with the command's own words when it fails; what an Engine raises.
    """
    remove_leftovers(project=project, purpose=purpose)
    image = project.image or settings.CONTAINERHUB.base_image
    with container_for(purpose, project.slug, image=image, mounts=mounts) as docker_id:
        _run(docker_id, ExecSpec(command=command, user=user, working_dir="/"))


@contextmanager
def container_for(purpose: str, what: str, *, image: str, mounts: tuple[Mount, ...], network: str = "none") -> Iterator[str]:
    """The docker_id of a running container that does nothing by itself; it is gone after the block. Raises ImageMissing."""
    engine = current_engine()
    spec = ContainerSpec(
        name=f"{settings.CONTAINERHUB.name_prefix}-{purpose}-{what}-{secrets.token_hex(4)}",
        image=image,
        command=("sleep", str(TIMEOUT_SECONDS)),
        user="0:0",
        working_dir="/",
        labels=_labels(purpose, what),
        mounts=mounts,
        pids_limit=100,
        network=network,
        restart_policy="no",
        cap_drop=("MKNOD", "NET_RAW", "NET_BIND_SERVICE", "SETFCAP", "SYS_CHROOT"),
    )
    try:
        docker_id = engine.containers.create(spec)
    except NoSuchObject as error:
        raise ImageMissing(f"The image {spec.image} is not on the Engine; build it, then try again.") from error
    try:
        engine.containers.start(docker_id)
        yield docker_id
    finally:
        engine.containers.remove(docker_id, force=True)


def remove_leftovers(*, project: Project, purpose: str) -> None:
    """What a killed hub left running of the same work."""
    engine = current_engine()
    for found in engine.containers.list(labels=_labels(purpose, project.slug)):
        engine.containers.remove(found.docker_id, force=True)


def _labels(purpose: str, what: str) -> dict[str, str]:
    return {**hub_labels(instance_id()), LABEL_PURPOSE: f"{purpose}:{what}"}


def _run(docker_id: str, spec: ExecSpec) -> None:
    said = bytearray()

    def keep(_stream: Stream, data: memoryview) -> None:
        said.extend(data[: max(0, 2000 - len(said))])

    outcome = current_engine().execs.run(docker_id, spec, sink=keep, timeout_seconds=TIMEOUT_SECONDS - 60)
    if outcome.exit_code != 0:
        words = " ".join(said.decode(errors="replace").split())[:300] or "it did not end"
        raise Unready(f"The work in a throw-away container failed ({words}); look at what it names, then try again.")
