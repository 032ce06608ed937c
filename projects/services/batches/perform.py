"""One item of a batch: claimed, its actor asked for again, done, and its end written."""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import close_old_connections, connection
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from projects.access import AccessDenied, demand
from projects.engine.errors import EngineError
from projects.models import BatchItem, CommandRun, Project
from projects.services import commands, lifecycle
from projects.services.batches.settle import settle_item
from projects.services.batches.start import NEEDED
from projects.services.commands import CommandResult
from projects.services.errors import HubError
from projects.services.health import NOT_RUNNING, check_health
from projects.services.heartbeats import beat
from projects.services.overview import busy_reason
from projects.services.record import Actor
from projects.states import BatchAction, ItemState, RunState

RENEW_SECONDS = 10
BROKEN = "Something went wrong inside the hub, and its log tells what; look at the project, then try again."

log = structlog.get_logger(__name__)


class ActionFailed(Exception):
    """It was done, and the answer is no success; `str()` is the item's sentence."""


def do_item(item_id: int) -> None:
    """Do it, unless somebody does or did already. What goes wrong is the item's own: it stops no other."""
    token = secrets.token_hex(16)
    now = timezone.now()
    claimed = BatchItem.objects.filter(pk=item_id, state=ItemState.QUEUED).update(
        state=ItemState.RUNNING,
        claim_token=token,
        claimed_at=now,
        started_at=Coalesce("started_at", now),
        attempts=F("attempts") + 1,
    )
    if not claimed:
        return
    item = BatchItem.objects.select_related("batch", "batch__actor", "project").get(pk=item_id)
    with _kept(item, token):
        try:
            message = _done(item)
        except (ActionFailed, AccessDenied, HubError, EngineError) as error:
            settle_item(item, token, ItemState.FAILED, str(error))
        except BaseException:  # also the worker's timeout; the worker's own log and table of failures say what it was
            settle_item(item, token, ItemState.FAILED, BROKEN)
            raise
        else:
            settle_item(item, token, ItemState.DONE, message)


def _done(item: BatchItem) -> str:
    """Do it; the sentence that tells the result. Raises ActionFailed, AccessDenied, HubError, EngineError."""
    project, user = item.project, item.batch.actor
    if project is None:
        raise ActionFailed(f"The project {item.project_slug} was removed meanwhile.")
    if user is None:
        raise ActionFailed(f"The account of {item.batch.actor_name} was removed meanwhile; ask for it again from another.")
    action = BatchAction(item.batch.action)
    demand(user, NEEDED[action], project)
    actor = Actor.of(user)
    if action is BatchAction.RUN_COMMAND:
        return _run(item, project, actor)
    if item.batch.details.get("only_idle") and (reason := busy_reason(project)):
        raise ActionFailed(f"Left as it is, since it is busy: {reason} Refresh it when that is over.")
    return _SIMPLE[action](project, actor)


# -- the actions ----------------------------------------------------------------------------


def _ensure(project: Project, actor: Actor) -> str:
    return _told(lifecycle.ensure_container(project=project, actor=actor))


def _start(project: Project, actor: Actor) -> str:
    return _told(lifecycle.start_container(project=project, actor=actor))


def _restart(project: Project, actor: Actor) -> str:
    answer = lifecycle.restart_container(project=project, actor=actor)
    return f"Container {answer.container_id} was restarted and is {answer.status}."


def _refresh(project: Project, actor: Actor) -> str:
    answer = lifecycle.refresh_container(project=project, actor=actor)
    return f"Container {answer.container_id} was made anew; the workspace was kept."


def _stop(project: Project, actor: Actor) -> str:
    answer = lifecycle.stop_container(project=project, actor=actor)
    return f"Container {answer.container_id} is stopped." if answer.container_id else "There was no container to stop."


def _remove(project: Project, actor: Actor) -> str:
    lifecycle.remove_container(project=project, actor=actor)
    return "There is no container any more; the workspace was kept."


def _check(project: Project, actor: Actor) -> str:
    answer = check_health(project=project)
    if not answer.healthy:
        remedy = "ensure it" if answer.reason == NOT_RUNNING else "refresh it, or read its log first"
        raise ActionFailed(f"{answer.reason.rstrip('.')}: {remedy}.")
    return f"{answer.reason.rstrip('.')}."


def _told(answer: lifecycle.ContainerAnswer) -> str:
    return f"Container {answer.container_id} is {answer.status}."


_SIMPLE: dict[BatchAction, Callable[[Project, Actor], str]] = {
    BatchAction.ENSURE: _ensure,
    BatchAction.START: _start,
    BatchAction.REFRESH: _refresh,
    BatchAction.STOP: _stop,
    BatchAction.RESTART: _restart,
    BatchAction.CHECK_HEALTH: _check,
    BatchAction.REMOVE_CONTAINER: _remove,
}


def _run(item: BatchItem, project: Project, actor: Actor) -> str:
    def link(run: CommandRun) -> None:
        BatchItem.objects.filter(pk=item.pk).update(run=run)

    result = commands.run_command(project=project, actor=actor, on_start=link, **item.batch.details)
    return told_result(result)


def told_result(result: CommandResult) -> str:
    """Raises ActionFailed for anything but an exit code of 0."""
    seconds = f"{result.duration_seconds:.1f} s"
    if result.state is RunState.FINISHED and result.exit_code == 0:
        return f"Exit code 0 after {seconds}."
    if result.state is RunState.FINISHED:
        raise ActionFailed(f"Exit code {result.exit_code} after {seconds}: read its output, then run it again.")
    if result.state is RunState.TIMED_OUT:
        raise ActionFailed(f"It was killed at its timeout after {seconds}: give it more time, or less to do.")
    raise ActionFailed(result.message or f"It ended as {result.state.replace('_', ' ')}: read its output, then run it again.")


# -- the claim ------------------------------------------------------------------------------


@contextmanager
def _kept(item: BatchItem, token: str) -> Iterator[None]:
    """Renew the claim for the block. A worker at work is alive, though it has no time for canaries."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(item.pk, token, done), name=f"batch-item-{item.pk}", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        done.set()
        keeper.join(timeout=RENEW_SECONDS)


def _keep(item_id: int, token: str, done: threading.Event) -> None:
    try:
        while not done.wait(RENEW_SECONDS):
            close_old_connections()
            if not BatchItem.objects.filter(pk=item_id, claim_token=token).update(claimed_at=timezone.now()):
                return
            beat("worker")
    except Exception:
        log.exception("batch.renewal_failed", item=item_id)
    finally:
        connection.close()
