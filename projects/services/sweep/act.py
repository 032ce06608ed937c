"""Carrying a decision out: once, and only if what it was made for is still so."""

from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.errors import EngineError, EngineUnreachable
from projects.models import Decision, Project
from projects.services.decisions import ACTS
from projects.services.engines import current_engine
from projects.services.errors import Busy, HubError
from projects.services.lifecycle import refresh_container, restart_container
from projects.services.overview import busy_reason
from projects.services.record import HUB, record
from projects.services.sweep.policy import policy_of
from projects.services.terminals.work import foreground_work
from projects.states import Cause, Health, RefreshMode, Rule, Status, Verdict, Wanted

OPEN_FOR = timedelta(minutes=10)
"""An act that was not begun for so long is decided anew."""
UNDER_WAY_FOR = timedelta(minutes=15)
"""One that was begun and not ended for so long died with its worker."""
A_DAY = timedelta(days=1)
DIED = "The worker ended while it was under way; what was begun is finished by the watcher."

log = structlog.get_logger(__name__)


def carry_out(decision_id: int, *, now: datetime | None = None) -> bool:
    """Do what was decided; whether it was done. However often it is asked, it is begun once."""
    now = now or timezone.now()
    open_rows = Decision.objects.filter(pk=decision_id, verdict__in=ACTS, finished_at__isnull=True)
    if not open_rows.filter(started_at__isnull=True, at__gt=now - OPEN_FOR).update(started_at=now):
        return False
    row = Decision.objects.select_related("project").get(pk=decision_id)
    try:
        _act(row, now)
    except (Busy, EngineUnreachable) as error:
        # What a lost Engine cut short is no failed cure: the watcher finishes it, and the next sweep judges anew.
        _finish(row, now, done=False, outcome=str(error), begun=False)
        return False
    except (EngineError, HubError) as error:
        log.warning("sweep.act_failed", project=row.project.slug, verdict=row.verdict, error=str(error), cause=repr(error.__cause__))
        _finish(row, now, done=False, outcome=str(error), begun=True)
        return False
    _finish(row, now, done=True, outcome="Done.", begun=True)
    return True


def close_stale(now: datetime) -> None:
    """Acts that nobody began, and acts whose worker died."""
    acts = Decision.objects.filter(verdict__in=ACTS, finished_at__isnull=True)
    acts.filter(started_at__isnull=True, at__lte=now - OPEN_FOR).update(finished_at=now, done=False, outcome="It was not begun in time.")
    for row in acts.filter(started_at__lte=now - UNDER_WAY_FOR).select_related("project"):
        _close_dead(row, now)


def _close_dead(row: Decision, now: datetime) -> None:
    """Its worker died, and the watcher has finished what was begun. Where that left the same container, the act does not count:
    a refresh that never was must not have its rule held. Once a day: what kills its worker again is left alone."""
    fields: dict[str, object] = {"finished_at": now, "done": False, "outcome": DIED}
    before = Decision.objects.filter(project=row.project_id, outcome=DIED, finished_at__gt=now - A_DAY)
    if row.project.docker_id == row.docker_id and not before.exists():
        fields["started_at"] = None
    Decision.objects.filter(pk=row.pk, finished_at__isnull=True).update(**fields)


def under_way() -> dict[int, Decision]:
    """The open acts by project, begun or not."""
    return {row.project_id: row for row in Decision.objects.filter(verdict__in=ACTS, finished_at__isnull=True).order_by("id")}


def _act(row: Decision, now: datetime) -> None:
    """Raises Busy when something has changed since it was decided; whatever the lifecycle raises."""

    def unless() -> str:
        return _changed(row, now)

    if row.verdict == Verdict.RESTART:
        restart_container(project=row.project, actor=HUB, unless=unless)
    else:
        refresh_container(project=row.project, actor=HUB, reason=row.reason.rstrip("."), unless=unless)


def _changed(row: Decision, now: datetime) -> str:
    """What has changed since, or nothing. Asked under the project's claim, when no new command can begin."""
    project = Project.objects.get(pk=row.project_id)
    if project.docker_id != row.docker_id:
        return "There is another container now; it is looked at anew."
    if project.wanted != Wanted.RUNNING or project.status not in (Status.RUNNING, Status.UNKNOWN):
        return f"The container does not run any more: it is {project.status}."
    if row.verdict == Verdict.REFRESH and project.pinned:
        return "The project was pinned meanwhile."
    if (mode := policy_of(project, settings.CONTAINERHUB).mode) is not RefreshMode.ACT:
        return f"The project's refresh mode became {mode} meanwhile."
    if row.rule == Rule.UNHEALTHY and _is_well_again(row):
        return "The container is not unhealthy any more."
    if row.cause == Cause.HARD_LIMIT:
        return ""
    return busy_reason(project, now=now) or _foreground_work(row)


def _is_well_again(row: Decision) -> bool:
    """An act may have waited for its worker, or for an Engine that was away."""
    info = current_engine().containers.inspect(row.docker_id)
    return info is not None and info.health is not Health.UNHEALTHY


def _foreground_work(row: Decision) -> str:
    """A container that cannot be asked is not held to be busy: it may be the very one that needs mending."""
    try:
        return foreground_work(current_engine(), row.docker_id)
    except EngineUnreachable:
        raise
    except EngineError as error:
        log.warning("sweep.terminals_not_asked", project=row.project.slug, error=str(error))
        return ""


def _finish(row: Decision, now: datetime, *, done: bool, outcome: str, begun: bool) -> None:
    """An act that was not even begun does not count for the cool-down: its `started_at` is taken back."""
    fields: dict[str, object] = {"finished_at": now, "done": done, "outcome": outcome}
    if not begun:
        fields["started_at"] = None
    with transaction.atomic():
        Decision.objects.filter(pk=row.pk, finished_at__isnull=True).update(**fields)
        if not done:
            message = f"The {row.verdict} that was due was {'not done' if not begun else 'tried in vain'}: {outcome}"
            record("health.not_done", project=row.project, actor=HUB, message=message, decision=row.pk)
