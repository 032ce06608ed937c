"""One action at a time on a project: a claim is a conditional UPDATE with a random token.

The holder renews it each 10 s; after 60 s without renewal it is stale and may be taken over. Before each of its
steps on the Engine the holder confirms that the claim is still his, so one that was paused and overtaken stops.
"""

import secrets
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import ParamSpec, TypeVar

import structlog
from django.db import close_old_connections, connection
from django.db.models import Q
from django.utils import timezone

from projects.models import Project
from projects.services.errors import ClaimLost
from projects.states import Action

RENEW_SECONDS = 10
STALE_SECONDS = 60

log = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")


class Claim:
    """The right to act on one project, as long as `claim_token` in its row is ours."""

    def __init__(self, project_id: int, action: Action, token: str) -> None:
        self.project_id = project_id
        self.action = action
        self.token = token

    def renew(self) -> bool:
        """False when the claim is no longer ours."""
        return bool(Project.objects.filter(pk=self.project_id, claim_token=self.token).update(claimed_at=timezone.now()))

    def confirm(self) -> None:
        """Raises ClaimLost when another has taken over."""
        if not self.renew():
            raise ClaimLost("Another process took this action over; look at the project again for its result.")

    def step(self, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        """Do one thing on the Engine, if the claim is still ours."""
        self.confirm()
        return call(*args, **kwargs)

    def write(self, **fields: object) -> None:
        """Patch the project's row, if the claim is still ours. Raises ClaimLost."""
        if not Project.objects.filter(pk=self.project_id, claim_token=self.token).update(**fields):
            raise ClaimLost("Another process took this action over; look at the project again for its result.")

    def release(self) -> None:
        Project.objects.filter(pk=self.project_id, claim_token=self.token).update(
            pending_action=Action.NOTHING, claim_token="", claimed_at=None
        )


def take_claim(project: Project, action: Action) -> Claim | None:
    """The claim, or None while somebody else holds a fresh one. A stale one is taken over."""
    token = secrets.token_hex(16)
    now = timezone.now()
    free = Q(pending_action=Action.NOTHING) | Q(claimed_at__lt=now - timedelta(seconds=STALE_SECONDS))
    taken = Project.objects.filter(free, pk=project.pk).update(pending_action=action, claim_token=token, claimed_at=now)
    return Claim(project.pk, action, token) if taken else None


@contextmanager
def held(claim: Claim) -> Iterator[Claim]:
    """Keep the claim renewed for the block, and release it on every way out."""
    done = threading.Event()
    keeper = threading.Thread(target=_keep, args=(claim, done), name=f"claim-{claim.project_id}", daemon=True)
    keeper.start()
    try:
        yield claim
    finally:
        done.set()
        keeper.join(timeout=RENEW_SECONDS)
        claim.release()


def _keep(claim: Claim, done: threading.Event) -> None:
    try:
        while not done.wait(RENEW_SECONDS):
            close_old_connections()
            if not claim.renew():
                return
    except Exception:
        log.exception("claim.renewal_failed", project=claim.project_id)
    finally:
        connection.close()
