"""Asking for a batch: who may is decided for each project, then rows, event and tasks are saved in one transaction."""

import time
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django_q.tasks import async_task

from projects.access import AccessDenied, Permission, demand
from projects.models import Batch, BatchItem, Project
from projects.services.batches.settle import finish_if_through
from projects.services.commands.start import checked_order
from projects.services.errors import BadInput
from projects.services.record import Actor, record
from projects.services.spec import WORKSPACE
from projects.states import BatchAction, ItemState

MOST_PROJECTS = 1000
MOST_COMMAND_SECONDS = 900
"""A command of a batch holds one of the worker's few processes as long as it runs; longer ones are started on their own."""
TASK_SECONDS = 900
SPARE_SECONDS = 120

NEEDED = dict.fromkeys(BatchAction, Permission.OPERATE) | {BatchAction.CHECK_HEALTH: Permission.VIEW}
"""What each action asks of its actor, when it is asked for and again when it is done."""


def start_batch(
    *,
    projects: Iterable[Project],
    action: BatchAction,
    actor: Actor,
    command: str = "",
    workdir: str = WORKSPACE,
    timeout_seconds: int | None = None,
    only_idle: bool = False,
) -> Batch:
    """Queue the action for each project, and answer at once. A project that the actor may not act on is a failed item of its own.

    `command`, `workdir` and `timeout_seconds` (at most 900) are for `run_command`. With `only_idle` a refresh leaves those alone
    that are busy when their turn comes. Raises BadInput.
    """
    chosen = list(projects)
    if not 1 <= len(chosen) <= MOST_PROJECTS:
        raise BadInput(f"Choose from 1 to {MOST_PROJECTS} projects.")
    if actor.user is None:
        raise BadInput("A batch is asked for by a signed-in user: sign in, then try again.")
    details = _checked_details(command, workdir, timeout_seconds) if action is BatchAction.RUN_COMMAND else {}
    if only_idle and action is BatchAction.REFRESH:
        details = {"only_idle": True}
    refusals = [_refusal(actor, action, project) for project in chosen]
    # The broker is our own database, so that there are neither rows without their tasks nor tasks without their rows.
    with transaction.atomic():
        batch = Batch.objects.create(action=action, actor=actor.user, actor_name=actor.name, details=details)
        items = BatchItem.objects.bulk_create(
            _item(batch, position, project, refusal) for position, (project, refusal) in enumerate(zip(chosen, refusals, strict=True))
        )
        many = "1 project" if len(chosen) == 1 else f"{len(chosen)} projects"
        record(
            "batch.started",
            actor=actor,
            message=f"{action.replace('_', ' ').capitalize()} was asked for {many}.",
            batch=batch.pk,
            action=str(action),
            projects=[project.slug for project in chosen],
        )
        for item in items:
            if item.state == ItemState.QUEUED:
                queue_item(item, batch)
        finish_if_through(batch)
    return batch


def queue_item(item: BatchItem, batch: Batch) -> None:
    """Call it in the transaction that makes the item queued. A task that comes twice finds the item claimed."""
    seconds = int(batch.details.get("timeout_seconds", TASK_SECONDS)) + SPARE_SECONDS
    async_task("projects.tasks.do_batch_item", item.pk, group=f"batch-{batch.pk}", task_name=str(item), timeout=seconds)


def wait_for_batch(*, batch: Batch, seconds: float) -> bool:
    """Whether it is through within so short a time: then its results can be shown at once."""
    deadline = time.monotonic() + seconds
    while not Batch.objects.filter(pk=batch.pk, finished_at__isnull=False).exists():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.1)
    return True


def _refusal(actor: Actor, action: BatchAction, project: Project) -> str:
    try:
        demand(actor.user, NEEDED[action], project)
    except AccessDenied as error:
        return str(error)
    return ""


def _item(batch: Batch, position: int, project: Project, refusal: str) -> BatchItem:
    now: datetime = timezone.now()
    fields: dict[str, Any] = {"state": ItemState.FAILED, "message": refusal, "finished_at": now} if refusal else {}
    return BatchItem(batch=batch, project=project, project_slug=project.slug, position=position, **fields)


def _checked_details(command: str, workdir: str, timeout_seconds: int | None) -> dict[str, Any]:
    order = checked_order(command, workdir, timeout_seconds)
    if order.timeout_seconds > MOST_COMMAND_SECONDS:
        raise BadInput(
            f"A command over several projects may take at most {MOST_COMMAND_SECONDS} seconds; start longer ones in their own project."
        )
    return {"command": order.command, "workdir": order.workdir, "timeout_seconds": order.timeout_seconds}
