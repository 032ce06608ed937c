"""One action at a time on a project; callers who ask for the same action meanwhile join it."""

import random
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import transaction
from django.utils import timezone

from projects.engine import errors as engine_errors
from projects.models import Project
from projects.services import errors as hub_errors
from projects.services.answers import ContainerAnswer
from projects.services.claims import Claim, held, take_claim
from projects.services.errors import Busy, ClaimLost, HubError, NotFound
from projects.services.record import Actor, record
from projects.services.tallies import ACTION, ENGINE_ERROR, count, timed
from projects.states import Action

JOIN_SECONDS = 300
"""How long a caller waits for the same action of somebody else."""

log = structlog.get_logger(__name__)
Work = Callable[[Claim], ContainerAnswer]
Unless = Callable[[], str]


def perform(*, project: Project, action: Action, actor: Actor, work: Work, unless: Unless | None = None) -> ContainerAnswer:
    """Claim the project for `action` and do `work`; or join the same action already under way and answer its result.

    `unless` is asked once the claim is held, when nobody can begin anything: a reason that it gives is raised as Busy.

    Raises Busy when a different action is under way, and whatever the work (or the joined work) raises.
    """
    began = timezone.now()
    deadline = time.monotonic() + JOIN_SECONDS
    pause = 0.05
    joined = False
    while True:
        claim = take_claim(project, action)
        if claim is not None:
            return _work(project, claim, actor, work, unless)
        _reload(project)
        if joined and project.pending_action != action:
            return _joined_answer(project, began)
        if project.pending_action not in ("", action):
            raise Busy(f"A {project.pending_action} is under way on {project.slug}; wait until it is done, then try again.")
        joined = joined or bool(project.pending_action)
        if time.monotonic() > deadline:
            raise Busy(f"The {action} of {project.slug} that somebody else began is not done yet; look again in a minute.")
        time.sleep(pause * random.uniform(0.75, 1.25))  # noqa: S311 - jitter, so that joiners do not ask in step
        pause = min(pause * 1.5, 0.5)


def _work(project: Project, claim: Claim, actor: Actor, work: Work, unless: Unless | None) -> ContainerAnswer:
    with held(claim):
        _reload(project)
        if unless is not None and (reason := unless()):
            raise Busy(reason)
        try:
            with timed(ACTION, action=str(claim.action)):
                return work(claim)
        except ClaimLost:
            raise
        except (HubError, engine_errors.EngineError) as error:
            _remember_failure(claim, project, actor, error)
            raise


def _remember_failure(claim: Claim, project: Project, actor: Actor, error: Exception) -> None:
    """For those who joined, and for the page: what went wrong."""
    log.warning("action.failed", project=project.slug, action=claim.action, error=str(error), cause=repr(error.__cause__))
    if isinstance(error, engine_errors.EngineError):
        count(ENGINE_ERROR, error=type(error).__name__)
    with transaction.atomic():
        claim.write(last_error=str(error), last_error_kind=type(error).__name__, last_error_at=timezone.now())
        record(f"container.{claim.action}_failed", project=project, actor=actor, message=f"{claim.action.capitalize()} failed: {error}")


def _joined_answer(project: Project, began: datetime) -> ContainerAnswer:
    if project.last_error_at and project.last_error_at >= began:
        raise _error_named(project.last_error_kind)(project.last_error)
    return ContainerAnswer(container_id=project.docker_id[:12] or None, status=project.status)


def _error_named(name: str) -> type[Exception]:
    found = getattr(hub_errors, name, None) or getattr(engine_errors, name, None)
    return found if isinstance(found, type) and issubclass(found, Exception) else HubError


def _reload(project: Project) -> None:
    try:
        project.refresh_from_db()
    except Project.DoesNotExist:
        raise NotFound(f"The project {project.slug} was removed meanwhile.") from None
