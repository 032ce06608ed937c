"""Clones that people ask for on a page: done by the worker, seen by whoever looks, ended or mended like everything that it does."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog
from django.db import close_old_connections, connection, transaction
from django.utils import timezone
from django_q.brokers import get_broker
from django_q.tasks import async_task

from projects.access import may_create_projects
from projects.engine.errors import EngineError
from projects.models import Clone, Project
from projects.services.batches import start_batch
from projects.services.catalog import check_settings
from projects.services.cloning import clone_project, demand_fitting_token, owner_of_clones, place_for
from projects.services.errors import BadInput, Busy, HubError, NotFound
from projects.services.git_url import checked_git_url
from projects.services.heartbeats import beat
from projects.services.masking import mask_text
from projects.services.plain import plain
from projects.services.record import HUB, Actor, record
from projects.services.throwaway import TIMEOUT_SECONDS
from projects.services.workspace import Owner
from projects.states import BatchAction, CloneState

MOST_OPEN = 4
"""A clone holds one of the worker's few processes as long as it takes."""
CLAUDE = Owner(1000, 1000)
"""Whose a clone becomes where the hub is root: the user of the image."""
SPARE_SECONDS = 300
RENEW_SECONDS = 5
STALE_SECONDS = 60
KEPT_BYTES = 4000
OPEN = (CloneState.QUEUED, CloneState.RUNNING)
BROKEN = "Something went wrong inside the hub, and its log tells what; nothing of the clone is left: try again."
INTERRUPTED = "The hub's process that cloned ended before it was through; see that nothing of it is left, then ask for it again."

log = structlog.get_logger(__name__)


def start_clone(*, actor: Actor, url: str, name: str = "", path: str = "", token: str = "", ensure: bool = True, **fields: Any) -> Clone:
    """Queue it, and answer at once; whatever can be told to be wrong is refused now. `fields` as for `create_project`.

    Raises BadInput, Forbidden, Busy.
    """
    if actor.user is None:
        raise BadInput("A clone is asked for by a signed-in user: sign in, then try again.")
    source = checked_git_url(url)
    demand_fitting_token(source, token)
    title = name.strip() or source.name
    check_settings(actor=actor, name=title, **fields)
    place = place_for(title, path, owner=owner_of_clones(CLAUDE))
    with transaction.atomic():
        if Clone.objects.filter(state__in=OPEN).count() >= MOST_OPEN:
            raise Busy(f"{MOST_OPEN} clones are under way already; wait until one of them is through.")
        clone = Clone.objects.create(
            url=source.text, name=title, path=str(place), token=token, ensure=ensure, fields=fields, actor=actor.user, actor_name=actor.name
        )
        record("clone.started", actor=actor, message=f"A clone of {source.text} was asked for.", clone=clone.pk, url=source.text)
        _queue(clone)
    return clone


def cancel_clone(*, clone: Clone, actor: Actor) -> None:
    """Wish for its end; whoever does it gives it up within seconds, and nothing of it is left. Raises NotFound when it is over."""
    with transaction.atomic():
        going_on = Clone.objects.filter(pk=clone.pk, state__in=OPEN)
        if not going_on.update(cancelled_by=actor.name):
            raise NotFound("This clone is over already.")
        queued = going_on.filter(state=CloneState.QUEUED).first()
        if queued is not None:
            _end(queued, CloneState.CANCELLED, f"{actor.name} cancelled it before it began.")


def do_clone(clone_id: int) -> None:
    """Do it, unless somebody does or did already."""
    if not Clone.objects.filter(pk=clone_id, state=CloneState.QUEUED).update(state=CloneState.RUNNING, claimed_at=timezone.now()):
        return
    clone = Clone.objects.select_related("actor").get(pk=clone_id)
    with _Progress(clone).kept() as progress:
        try:
            project = _done(clone, progress)
        except (HubError, EngineError) as error:
            by = Clone.objects.values_list("cancelled_by", flat=True).get(pk=clone.pk)
            if by:
                _end(clone, CloneState.CANCELLED, f"{by} cancelled it; nothing of it is left.")
            else:
                _end(clone, CloneState.FAILED, str(error))
        except BaseException:
            _end(clone, CloneState.FAILED, BROKEN)
            raise
        else:
            _end(clone, CloneState.FINISHED, f"The project {project.name} was made over {project.path}.", project=project)


def mend_clones() -> int:
    """End those whose worker died, and queue again those that were lost with it; how many. The tick calls it each minute."""
    stale = timezone.now() - timedelta(seconds=STALE_SECONDS)
    dead = list(Clone.objects.filter(state=CloneState.RUNNING, claimed_at__lt=stale))
    for clone in dead:
        log.warning("clone.interrupted", clone=clone.pk)
        _end(clone, CloneState.FAILED, INTERRUPTED)
    stranded = Clone.objects.filter(state=CloneState.QUEUED, created_at__lt=stale - timedelta(seconds=STALE_SECONDS))
    if get_broker().queue_size():
        return len(dead)
    with transaction.atomic():
        lost = list(stranded)
        for clone in lost:
            _queue(clone)  # a task that comes twice finds it begun
    return len(dead) + len(lost)


def _queue(clone: Clone) -> None:
    """Call it in the transaction that makes it queued."""
    async_task("projects.tasks.do_clone", clone.pk, task_name=f"clone {clone.pk}", timeout=TIMEOUT_SECONDS + SPARE_SECONDS)


def _done(clone: Clone, progress: "_Progress") -> Project:
    user = clone.actor
    if user is None or not may_create_projects(user):
        raise BadInput(f"{clone.actor_name} may not make projects any more; let somebody ask for it who may.")
    actor = Actor.of(user)
    project = clone_project(
        actor=actor,
        url=clone.url,
        name=clone.name,
        path=clone.path,
        token=clone.token,
        owner=CLAUDE,
        on_output=progress.take,
        stop=progress.stopped,
        **clone.fields,
    )
    if clone.ensure:
        start_batch(projects=[project], action=BatchAction.ENSURE, actor=actor)
    return project


def _end(clone: Clone, state: CloneState, message: str, *, project: Project | None = None) -> None:
    """Written once, with its event; the token is gone."""
    with transaction.atomic():
        rows = Clone.objects.filter(pk=clone.pk, state__in=OPEN)
        if rows.update(state=state, message=message, token="", finished_at=timezone.now(), project=project):
            told = f"The clone of {clone.url} is {state}: {message}"
            record(f"clone.{state}", project=project, actor=HUB, message=told, clone=clone.pk, url=clone.url)


class _Progress:
    """What git says goes into the row, a worker at work renews its claim, and a wish to end it is seen: each in some seconds."""

    def __init__(self, clone: Clone) -> None:
        self._rows = Clone.objects.filter(pk=clone.pk, state=CloneState.RUNNING)
        self._secrets = [clone.token.encode()] if clone.token else []
        self._said = bytearray()
        self._over = threading.Event()
        self._wished = False
        self._id = clone.pk

    def take(self, data: bytes) -> None:
        self._said.extend(data)
        del self._said[:-KEPT_BYTES]

    def stopped(self) -> bool:
        return self._wished

    @contextmanager
    def kept(self) -> Iterator["_Progress"]:
        keeper = threading.Thread(target=self._keep, name=f"clone-{self._id}", daemon=True)
        keeper.start()
        try:
            yield self
        finally:
            self._over.set()
            keeper.join(RENEW_SECONDS)

    def _keep(self) -> None:
        renewed = 0.0
        try:
            while not self._over.wait(1):
                close_old_connections()
                if time.monotonic() - renewed >= RENEW_SECONDS:
                    renewed = time.monotonic()
                    beat("worker")
                if not self._rows.update(claimed_at=timezone.now(), output=self._shown()):
                    return
                self._wished = self._rows.exclude(cancelled_by="").exists()
        except Exception:
            log.exception("clone.renewal_failed", clone=self._id)
        finally:
            connection.close()

    def _shown(self) -> str:
        """As a terminal would show it: of a line that was drawn over and over, the last state."""
        lines = bytes(self._said).replace(b"\r\n", b"\n").split(b"\n")
        text = plain(b"\n".join(line.rstrip(b"\r").rpartition(b"\r")[2] for line in lines))
        return mask_text(text, self._secrets)
