"""Removing a container (the project stays) and removing a project (the directory stays)."""

from django.conf import settings
from django.db import transaction

from projects.engine.base import Engine
from projects.models import CommandRun, Project
from projects.services import credentials, spool
from projects.services.answers import ContainerAnswer
from projects.services.claims import Claim
from projects.services.engines import current_engine
from projects.services.incarnations import close_rows
from projects.services.lifecycle.perform import perform
from projects.services.lifecycle.start import observed_fields
from projects.services.ours import is_ours, predecessors
from projects.services.record import Actor, record
from projects.services.spec import container_name
from projects.states import Action, Wanted


def remove_container(*, project: Project, actor: Actor) -> None:
    """Stop and remove the container, predecessors too; quiet where it is gone. Workspace and Claude config stay."""
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        _remove_all(project, claim, actor, engine)
        return ContainerAnswer(container_id=None, status="stopped")

    perform(project=project, action=Action.REMOVE, actor=actor, work=work)


def remove_project(*, project: Project, actor: Actor) -> None:
    """Remove the container, what was lent to it, its Claude config and its row. The workspace directory stays."""
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        _remove_all(project, claim, actor, engine)
        claim.confirm()
        credentials.remove_lent(project.slug)
        credentials.remove_config(project.slug)
        for run in CommandRun.objects.filter(project=project):
            spool.remove(run)
        claim.confirm()
        with transaction.atomic():
            record(
                "project.removed",
                project=project,
                actor=actor,
                message=f"Project {project.slug} was removed; its directory {project.path} stays.",
                path=project.path,
            )
            Project.objects.filter(pk=project.pk, claim_token=claim.token).delete()
        return ContainerAnswer(container_id=None, status="removed")

    perform(project=project, action=Action.REMOVE, actor=actor, work=work)


def _remove_all(project: Project, claim: Claim, actor: Actor, engine: Engine) -> None:
    claim.write(wanted=Wanted.NONE)
    gone = []
    info = claim.step(engine.containers.inspect, container_name(project, settings.CONTAINERHUB))
    if info is not None and is_ours(info, project):
        gone.append(info.docker_id)
    gone += [old.docker_id for old in claim.step(predecessors, engine, project)]
    for docker_id in gone:
        claim.step(engine.containers.stop, docker_id)
        claim.step(engine.containers.remove, docker_id, force=True)
    with transaction.atomic():
        close_rows(project, reason=f"Removed by {actor.name}.")
        claim.write(docker_id="", **observed_fields(None), last_error="", last_error_kind="", last_error_at=None)
        if gone:
            record(
                "container.removed",
                project=project,
                actor=actor,
                message=f"Container {gone[0][:12]} was stopped and removed; the workspace was kept.",
                docker_id=gone[0],
            )
