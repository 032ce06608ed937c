"""The probation of refreshed containers: proven by one passing health check, or the predecessor comes back."""

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import Engine, ExecSpec
from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import Container, Project
from projects.services import terminals
from projects.services.claims import Claim, held, take_claim
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.lifecycle.refresh import restore_predecessor
from projects.services.ours import predecessors
from projects.services.record import Actor, record
from projects.services.spec import container_name
from projects.states import Action, Wanted

GATE_SECONDS = 5
"""How often a container on probation is asked."""
_PROBE_SECONDS = 10

log = structlog.get_logger(__name__)


def prove_refreshes(*, actor: Actor) -> int:
    """Ask every container on probation once; how many were decided. Call it each GATE_SECONDS. One failure stops no other."""
    decided = 0
    for row in Container.objects.filter(prove_until__isnull=False, removed_at__isnull=True).select_related("project"):
        try:
            decided += _decide(row, actor, current_engine())
        except EngineUnreachable as error:
            log.warning("gate.engine_unreachable", project=row.project.slug, error=str(error))
        except (EngineError, HubError) as error:
            log.warning("gate.failed", project=row.project.slug, error=str(error), cause=repr(error.__cause__))
    return decided


def _decide(row: Container, actor: Actor, engine: Engine) -> bool:
    terminals.reopen(project=row.project)
    passed, why = _probe(row, engine)
    late = row.prove_until is not None and timezone.now() >= row.prove_until
    if not passed and not late:
        return False
    claim = take_claim(row.project, Action.REFRESH)
    if claim is None:
        return False  # its people are at it; the next round looks again
    with held(claim):
        row.project.refresh_from_db()
        if row.project.docker_id != row.docker_id:
            _end_probation(row)
            return True
        if passed:
            _keep_new(row, claim, actor, engine)
        elif not _way_back(row, claim, actor, engine, why):
            return False
    return True


def _probe(row: Container, engine: Engine) -> tuple[bool, str]:
    """Run the health check in it; (passed, its words)."""
    info = engine.containers.inspect(row.docker_id)
    if info is None or not info.running:
        return False, "The new container does not run."
    output = bytearray()
    spec = ExecSpec(command=("/usr/local/bin/healthcheck",))
    outcome = engine.execs.run(
        row.docker_id, spec, sink=lambda _stream, data: output.extend(data[: 4096 - len(output)]), timeout_seconds=_PROBE_SECONDS
    )
    return outcome.exit_code == 0, output.decode(errors="replace").strip() or "The health check gave no answer."


def _keep_new(row: Container, claim: Claim, actor: Actor, engine: Engine) -> None:
    terminals.settle(project=row.project)
    for old in claim.step(predecessors, engine, row.project):
        claim.step(engine.containers.remove, old.docker_id, force=True)
    with transaction.atomic():
        claim.confirm()
        _end_probation(row)
        message = f"Container {row.short_id} passed its health check; its predecessor was removed."
        record("container.proven", project=row.project, actor=actor, message=message, docker_id=row.docker_id)


def _way_back(row: Container, claim: Claim, actor: Actor, engine: Engine, why: str) -> bool:
    """The predecessor comes back, unless the project's people stopped the new one themselves."""
    project: Project = row.project
    if project.wanted != Wanted.RUNNING and engine.containers.inspect(container_name(project, settings.CONTAINERHUB)):
        return False
    if not restore_predecessor(project, claim, actor, engine, why=why, run=project.wanted == Wanted.RUNNING):
        _end_probation(row)
    return True


def _end_probation(row: Container) -> None:
    Container.objects.filter(pk=row.pk).update(prove_until=None, predecessor_id_on_engine="")
