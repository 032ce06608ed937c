"""What a killed process or a lost Engine left half done: finished, or told to have ended. The watcher asks again and again."""

from collections.abc import Callable
from datetime import timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import Project
from projects.services.claims import STALE_SECONDS
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.lifecycle import ensure_container, remove_container, stop_container
from projects.services.record import Actor, record
from projects.states import Action, Status, Wanted

PING_SECONDS = 3
_VERBS = {Action.STOP: stop_container, Action.REMOVE: remove_container}

log = structlog.get_logger(__name__)
Finish = Callable[[Project, Actor], None]


def finish_interrupted(*, actor: Actor) -> int:
    """How many projects were seen to. One failure stops no other. Raises EngineUnreachable before anything is touched."""
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    interrupted = list(Project.objects.exclude(pending_action=Action.NOTHING).filter(claimed_at__lt=stale))
    cut_short = list(
        Project.objects.filter(
            pending_action=Action.NOTHING,
            wanted=Wanted.RUNNING,
            last_error_kind=EngineUnreachable.__name__,
            last_error_at__lt=stale,
        )
    )
    if not interrupted and not cut_short:
        return 0
    current_engine().ping(timeout_seconds=PING_SECONDS)
    for project in interrupted:
        _attempt(project, actor, _finish)
    for project in cut_short:
        _attempt(project, actor, _finish_cut_short)
    return len(interrupted) + len(cut_short)


def _attempt(project: Project, actor: Actor, finish: Finish) -> None:
    try:
        finish(project, actor)
    except (EngineError, HubError) as error:
        log.warning("finishing.failed", project=project.slug, error=str(error), cause=repr(error.__cause__))


def _finish(project: Project, actor: Actor) -> None:
    """Its holder is dead. What was wanted is done by the same verbs, each of which finds what stands; else it is only ended."""
    action = Action(project.pending_action)
    ending = action in _VERBS
    meant = project.wanted == (Wanted.NONE if ending else Wanted.RUNNING)
    with transaction.atomic():
        then = "it is finished now." if meant else "nothing was changed by it."
        message = f"The process that was to {action} the container ended in the middle of it; {then}"
        record(f"container.{action}_interrupted", project=project, actor=actor, message=message)
        if not meant:
            held = Project.objects.filter(pk=project.pk, claim_token=project.claim_token)
            held.update(pending_action=Action.NOTHING, claim_token="", claimed_at=None)
    if meant:
        _VERBS.get(action, ensure_container)(project=project, actor=actor)


def _finish_cut_short(project: Project, actor: Actor) -> None:
    """An action failed since the Engine was lost; the container is to run. Settled once it does, so that a later stop from
    outside stays what it is."""
    if project.status == Status.RUNNING:
        Project.objects.filter(pk=project.pk, last_error_at=project.last_error_at).update(last_error_kind="")
    elif project.status != Status.UNKNOWN:
        ensure_container(project=project, actor=actor)
