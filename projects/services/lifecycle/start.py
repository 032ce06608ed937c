"""Running, stopped, restarted: Docker's own verbs and `ensure`, each under a claim."""

import threading

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, Engine
from projects.engine.errors import EngineError, Refused
from projects.models import Container, Project
from projects.services import commands, workspace
from projects.services.answers import ContainerAnswer
from projects.services.claims import Claim
from projects.services.engines import current_engine
from projects.services.errors import HubError, NotFound
from projects.services.incarnations import current_row, note_ending
from projects.services.lifecycle.create import create_container, note_container, prepare_container
from projects.services.lifecycle.perform import Unless, perform
from projects.services.ours import demand_ours, is_ours
from projects.services.record import Actor, record
from projects.services.spec import container_name
from projects.states import Action, Health, Status, Wanted

log = structlog.get_logger(__name__)


def ensure_container(*, project: Project, actor: Actor) -> ContainerAnswer:
    """The project's container, running now; made if need be. 100 at once make one and answer alike.

    Raises Busy, Unready, ImageMissing, ForeignContainer, EngineError.
    """
    engine = current_engine()
    answer = _already_running(project, engine)
    if answer is None:
        answer = perform(project=project, action=Action.START, actor=actor, work=lambda claim: _make_running(project, claim, actor, engine))
    begin_setup(project)
    return answer


def start_container(*, project: Project, actor: Actor) -> ContainerAnswer:
    """Docker's start, of a container that exists. Raises NotFound where there is none."""
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        info = _demand_existing(project, claim, engine)
        claim.write(wanted=Wanted.RUNNING)
        return start_and_note(project, claim, actor, engine, info)

    return perform(project=project, action=Action.START, actor=actor, work=work)


def stop_container(*, project: Project, actor: Actor) -> ContainerAnswer:
    """Docker's stop: the container is kept. Quiet where it is stopped or gone already."""
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        info = claim.step(engine.containers.inspect, container_name(project, settings.CONTAINERHUB))
        if info is None:
            claim.write(wanted=Wanted.NONE)
            return ContainerAnswer(container_id=None, status=project.status)
        demand_ours(info, project)
        claim.write(wanted=Wanted.NONE)
        claim.step(engine.containers.stop, info.docker_id)
        return _note_state(project, claim, actor, engine, info, was_running=info.running, verb="stopped")

    return perform(project=project, action=Action.STOP, actor=actor, work=work)


def restart_container(*, project: Project, actor: Actor, unless: Unless | None = None) -> ContainerAnswer:
    """Docker's restart. Raises NotFound where there is no container, Busy with the reason that `unless` gives."""
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        info = _demand_existing(project, claim, engine)
        workspace.recheck(project)
        claim.write(wanted=Wanted.RUNNING)
        claim.step(engine.containers.restart, info.docker_id)
        return _note_state(project, claim, actor, engine, info, was_running=True, verb="restarted")

    return perform(project=project, action=Action.RESTART, actor=actor, work=work, unless=unless)


def _already_running(project: Project, engine: Engine) -> ContainerAnswer | None:
    """The answer without a claim, when everything stands as it should. Raises Unready when the workspace was swapped."""
    if project.pending_action or project.wanted != Wanted.RUNNING or not project.docker_id:
        return None
    info = engine.containers.inspect(container_name(project, settings.CONTAINERHUB))
    if info is None or not info.running or info.docker_id != project.docker_id or not is_ours(info, project):
        return None
    if project.status != Status.RUNNING:
        return None
    workspace.recheck(project)
    return ContainerAnswer(container_id=info.short_id, status=info.status)


def _make_running(project: Project, claim: Claim, actor: Actor, engine: Engine) -> ContainerAnswer:
    claim.write(wanted=Wanted.RUNNING)
    info = claim.step(engine.containers.inspect, container_name(project, settings.CONTAINERHUB))
    if info is not None and info.status in (Status.DEAD, Status.REMOVING) and is_ours(info, project):
        claim.step(engine.containers.remove, info.docker_id, force=True)
        info = None
    created = info is None
    if info is None:
        _, info = create_container(project, claim, actor, engine, prepare_container(project, claim, engine))
    return start_and_note(project, claim, actor, engine, info, created=created)


def start_and_note(
    project: Project, claim: Claim, actor: Actor, engine: Engine, info: ContainerInfo, *, created: bool = False
) -> ContainerAnswer:
    """Start the container, see that it stays up, and note it. Raises ForeignContainer, Refused."""
    demand_ours(info, project)
    was_running = info.running
    if not was_running:
        workspace.recheck(project)  # the Engine looks its mounts up anew at each start
        claim.step(engine.containers.start, info.docker_id)
    return _note_state(project, claim, actor, engine, info, was_running=was_running, verb="started", created=created)


def _note_state(
    project: Project,
    claim: Claim,
    actor: Actor,
    engine: Engine,
    before: ContainerInfo,
    *,
    was_running: bool,
    verb: str,
    created: bool = False,
) -> ContainerAnswer:
    """Look again, and write what was seen with its event. Raises Refused when a started container does not run."""
    info = claim.step(engine.containers.inspect, before.docker_id)
    if info is None:
        raise NotFound(f"The container {before.name} was removed from outside meanwhile; ensure it again.")
    if project.docker_id != info.docker_id or current_row(project) is None:
        note_container(project, claim, actor, engine, info)  # adopted: a former call was killed before it wrote this
    changed = was_running == (verb == "stopped") or verb == "restarted"
    with transaction.atomic():
        claim.write(**observed_fields(info), last_error="", last_error_kind="", last_error_at=None)
        note_ending(info)
        if changed:
            record(
                f"container.{verb}",
                project=project,
                actor=actor,
                message=f"Container {info.short_id} was {verb}.",
                docker_id=info.docker_id,
            )
    if verb != "stopped" and not info.running:
        raise Refused(
            f"The container {info.name} started and ended at once (exit code {info.exit_code}{': ' + info.error if info.error else ''}): "
            f"read its logs, then refresh it."
        )
    return ContainerAnswer(container_id=info.short_id, status=info.status, created=created)


def observed_fields(info: ContainerInfo | None, *, absent: Status = Status.NONE) -> dict[str, object]:
    """The project's columns for what was just seen."""
    now = timezone.now()
    if info is None:
        return {"status": absent, "status_at": now, "health": Health.NONE, "health_at": now}
    return {"status": info.status, "status_at": now, "health": info.health, "health_at": now}


def _demand_existing(project: Project, claim: Claim, engine: Engine) -> ContainerInfo:
    info = claim.step(engine.containers.inspect, container_name(project, settings.CONTAINERHUB))
    if info is None:
        raise NotFound(f"The project {project.slug} has no container: ensure it first.")
    demand_ours(info, project)
    return info


def begin_setup(project: Project) -> None:
    """The project's own setup, once per container, beside the answer: ensure does not wait for it."""
    row = current_row(project) or current_row(Project.objects.get(pk=project.pk))
    if row is None or row.setup_done:
        return
    threading.Thread(target=_setup, args=(project, row), name=f"setup-{project.slug}", daemon=True).start()


def _setup(project: Project, row: Container) -> None:
    try:
        commands.run_setup(project, row)
    except (HubError, EngineError) as error:
        log.warning("setup.not_started", project=project.slug, error=str(error))
    finally:
        connection.close()
