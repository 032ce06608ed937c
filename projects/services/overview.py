"""A project's container as everyone who may look sees it: what it is, what was asked for, and when it is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import CommandRun, Container, Project
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.reconcile import observe
from projects.states import Health, RunState, Status

PING_SECONDS = 3

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ContainerView:
    """`container` is the row of the container that exists now, or None."""

    project: Project
    container: Container | None
    busy_reason: str
    next_refresh_at: datetime | None
    next_refresh_reason: str

    @property
    def busy(self) -> bool:
        return bool(self.busy_reason)


def view_container(*, project: Project) -> ContainerView:
    """Look at the container now; where the Engine does not answer, the status is `unknown`, as of now."""
    if _looked(project):
        project.refresh_from_db()
    else:
        project.status, project.status_at, project.health = Status.UNKNOWN, timezone.now(), Health.NONE
    row = Container.objects.filter(docker_id=project.docker_id, removed_at__isnull=True).first() if project.docker_id else None
    reason = busy_reason(project)
    due, why = _next_refresh(project, row, reason)
    return ContainerView(project, row, reason, due, why)


def busy_reason(project: Project) -> str:
    """Why the container must not be refreshed by itself now, or nothing."""
    running = CommandRun.objects.filter(project=project, state=RunState.RUNNING).count()
    if not running:
        return ""
    return "A command is running." if running == 1 else f"{running} commands are running."


def _looked(project: Project) -> bool:
    try:
        current_engine().ping(timeout_seconds=PING_SECONDS)
        observe(project)
    except EngineUnreachable as error:
        log.warning("overview.engine_unreachable", project=project.slug, error=str(error))
        return False
    except (EngineError, HubError) as error:
        log.warning("overview.not_observed", project=project.slug, error=str(error), cause=repr(error.__cause__))
    return True


def _next_refresh(project: Project, row: Container | None, busy: str) -> tuple[datetime | None, str]:
    if row is None:
        return None, "There is no container."
    if project.pinned:
        return None, "The project is pinned: it is never refreshed by itself."
    hours = settings.CONTAINERHUB.refresh_age_hours
    due = row.created_at + timedelta(hours=hours)
    if due > timezone.now():
        return due, f"It will be {hours:g} hours old then."
    return due, f"It is older than {hours:g} hours{' and waits: ' + busy[0].lower() + busy[1:] if busy else '.'}"
