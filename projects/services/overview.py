"""A project's container as everyone who may look sees it: what it is, what was asked for, and when it is due."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.utils import timezone

from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import CommandRun, Container, Decision, Project, Sample
from projects.services.decisions import ACTS
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.reconcile import observe
from projects.services.terminals.work import used_lately
from projects.states import Health, RunState, Status

PING_SECONDS = 3
WORK_SPAN = timedelta(minutes=10)
WORK_LEAST_SECONDS = 60
WORK_PERCENT = 5
"""Of one core. An idle container with its health check stays far below."""

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
    return known_container(project=project)


def known_container(*, project: Project) -> ContainerView:
    """As it was last observed, at the project's `status_at`: the Engine is not asked, so nothing waits for it."""
    row = Container.objects.filter(docker_id=project.docker_id, removed_at__isnull=True).first() if project.docker_id else None
    reason = busy_reason(project)
    due, why = _next_refresh(project, row, reason)
    return ContainerView(project, row, reason, due, why)


def busy_reason(project: Project, *, now: datetime | None = None) -> str:
    """Why the container must not be refreshed or restarted by itself now, or nothing."""
    running = CommandRun.objects.filter(project=project, state=RunState.RUNNING).count()
    if running:
        return "A command is running." if running == 1 else f"{running} commands are running."
    now = now or timezone.now()
    return used_lately(project, now) or _work_left_behind(project, now)


def _work_left_behind(project: Project, now: datetime) -> str:
    """A process that somebody left in the background and that uses CPU, by the counter's readings of the last minutes."""
    found = Sample.objects.filter(project=project, span_seconds=0, docker_id=project.docker_id[:12], at__gt=now - WORK_SPAN, at__lte=now)
    rows = list(found.filter(cpu_seconds__isnull=False).order_by("at"))
    if not rows:
        return ""
    seconds = (rows[-1].at - rows[0].at).total_seconds()
    used = (rows[-1].cpu_seconds or 0) - (rows[0].cpu_seconds or 0)
    # A single reading, or a counter that began anew at a restart: the Engine's own value of that moment.
    percent = 100 * used / seconds if seconds >= WORK_LEAST_SECONDS and used >= 0 else rows[-1].cpu_percent
    if percent is None or percent < WORK_PERCENT:
        return ""
    return f"A process in it is at work: it uses {percent:.0f} % of a core."


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
    decision = Decision.objects.filter(project=project).order_by("-id").first()
    if decision is not None and decision.docker_id == row.docker_id and decision.verdict not in ACTS:
        return decision.due_at, decision.reason
    hours = project.refresh_age_hours or settings.CONTAINERHUB.refresh_age_hours
    due = row.created_at + timedelta(hours=hours)
    if due > timezone.now():
        return due, f"It will be {hours:g} hours old then."
    return due, f"It is older than {hours:g} hours{' and waits: ' + busy[0].lower() + busy[1:] if busy else '.'}"
