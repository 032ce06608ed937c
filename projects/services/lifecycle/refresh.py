"""Refresh: the container made anew, the workspace and the Claude config kept, the old one kept for the way back.

The order is DESIGN's: stop, rename to `.old-<generation>`, create, start, answer. `services.gate` then proves the new
one. Killed between any two steps, the next ensure or refresh finds what stands and finishes.
"""

from django.conf import settings
from django.db import transaction

from projects.engine.base import ContainerInfo, Engine
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services import manifests, terminals
from projects.services.answers import ContainerAnswer
from projects.services.claims import Claim
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.incarnations import close_row, generation_of, note_ending
from projects.services.lifecycle.create import Prepared, create_container, prepare_container
from projects.services.lifecycle.perform import Unless, perform
from projects.services.lifecycle.start import begin_setup, observed_fields, start_and_note
from projects.services.ours import demand_ours, predecessors
from projects.services.record import Actor, record
from projects.services.spec import container_name, old_name
from projects.states import Action, Wanted


def refresh_container(*, project: Project, actor: Actor, reason: str = "asked for", unless: Unless | None = None) -> ContainerAnswer:
    """A new container in place of the old one; where there was none, one is made. Answers `status` "refreshed".

    What prevents a new one (no image, a bad workspace) is found before the old one is touched; if the new one cannot be
    made or started after that, the old one comes back. Before it goes, a manifest of what is lost with it is kept; after,
    the terminals that were open are there again. Raises as ensure_container, and Busy with the reason that `unless` gives.
    """
    engine = current_engine()

    def work(claim: Claim) -> ContainerAnswer:
        return _refresh(project, claim, actor, engine, reason)

    answer = perform(project=project, action=Action.REFRESH, actor=actor, work=work, unless=unless)
    begin_setup(project)
    terminals.reopen(project=project)
    return ContainerAnswer(container_id=answer.container_id, status="refreshed", created=True)


def _refresh(project: Project, claim: Claim, actor: Actor, engine: Engine, reason: str) -> ContainerAnswer:
    info = claim.step(engine.containers.inspect, container_name(project, settings.CONTAINERHUB))
    if info is not None:
        demand_ours(info, project)
    prepared = prepare_container(project, claim, engine)
    claim.write(wanted=Wanted.RUNNING)
    if info is not None:
        claim.step(manifests.keep, project=project, actor=actor, engine=engine, info=info, reason=reason)
        claim.step(terminals.leave, project, engine, info)
        _set_aside(project, claim, engine, info, reason)
    try:
        return _make_new(project, claim, actor, engine, prepared, reason)
    except (EngineError, HubError) as error:
        _bring_back(project, claim, actor, engine, error, run=info is None or info.running)
        raise


def _set_aside(project: Project, claim: Claim, engine: Engine, info: ContainerInfo, reason: str) -> None:
    """Stop the old one and give up its name. One on probation is not worth keeping: its proven predecessor is."""
    proven_exists = bool(claim.step(predecessors, engine, project))
    if proven_exists:
        claim.step(engine.containers.remove, info.docker_id, force=True)
    else:
        claim.step(engine.containers.stop, info.docker_id)
        name = old_name(project, settings.CONTAINERHUB, generation_of(info))
        claim.step(engine.containers.rename, info.docker_id, name)
    close_row(info.docker_id, reason=f"Refreshed: {reason}.")


def _make_new(project: Project, claim: Claim, actor: Actor, engine: Engine, prepared: Prepared, reason: str) -> ContainerAnswer:
    row, info = create_container(project, claim, actor, engine, prepared)
    answer = start_and_note(project, claim, actor, engine, info, created=True)
    with transaction.atomic():
        record(
            "container.refreshed",
            project=project,
            actor=actor,
            message=f"Container {info.short_id} took the place of its predecessor; the workspace was kept.",
            docker_id=info.docker_id,
            predecessor=row.predecessor_id_on_engine,
            reason=reason,
        )
    return answer


def _bring_back(project: Project, claim: Claim, actor: Actor, engine: Engine, error: Exception, *, run: bool) -> None:
    """The old one under its name again, running if it ran. If even that fails, the error says so; ensure mends it."""
    try:
        restore_predecessor(project, claim, actor, engine, why=str(error), run=run)
    except EngineError as second:
        # The first error is what the caller learns; the way back is tried again by the next ensure or refresh.
        with transaction.atomic():
            record(
                "container.way_back_failed",
                project=project,
                actor=actor,
                message=f"The old container could not be brought back: {second}",
            )


def restore_predecessor(project: Project, claim: Claim, actor: Actor, engine: Engine, *, why: str, run: bool) -> bool:
    """Remove the new container, rename the newest predecessor back and start it. False where there is none."""
    old = claim.step(predecessors, engine, project)
    if not old:
        return False
    name = container_name(project, settings.CONTAINERHUB)
    new = claim.step(engine.containers.inspect, name)
    if new is not None:
        demand_ours(new, project)
    claim.step(terminals.leave, project, engine, new)
    if new is not None:
        claim.step(engine.containers.remove, new.docker_id, force=True)
        close_row(new.docker_id, reason=f"The refresh failed: {why}")
    claim.step(engine.containers.rename, old[0].docker_id, name)
    if run:
        claim.step(engine.containers.start, old[0].docker_id)
    info = claim.step(engine.containers.inspect, old[0].docker_id)
    with transaction.atomic():
        _reopen(project, old[0].docker_id)
        if info is not None:
            note_ending(info)
        claim.write(docker_id=old[0].docker_id, **observed_fields(info))
        record(
            "container.rolled_back",
            project=project,
            actor=actor,
            message=f"The refresh failed, so container {old[0].docker_id[:12]} came back: {why}",
            docker_id=old[0].docker_id,
        )
    if run:
        terminals.reopen(project=project)
    return True


def _reopen(project: Project, docker_id: str) -> None:
    project.containers.filter(docker_id=docker_id).update(removed_at=None, end_reason="")
