"""Decisions as rows: a new one where what is decided changes, with its event; else only `last_at` moves."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from django.db import DatabaseError, transaction
from django.db.models import Max

from projects.models import Decision, HealthMemory
from projects.services import decisions
from projects.services.decisions import ACTS
from projects.services.record import HUB, record
from projects.services.sweep.history import as_json
from projects.services.sweep.judging import Look
from projects.states import Cause, Verdict

log = structlog.get_logger(__name__)


def latest_decisions() -> dict[int, Decision]:
    """The last one of each project."""
    newest = Decision.objects.order_by().values("project_id").annotate(newest=Max("pk")).values("newest")
    return {row.project_id: row for row in Decision.objects.filter(pk__in=newest)}


def write(looks: Sequence[Look], latest: Mapping[int, Decision], now: datetime) -> list[Decision]:
    """The new acts, to be carried out. A row that cannot be written stops no other."""
    same: list[int] = []
    acts: list[Decision] = []
    for look in looks:
        before = latest.get(look.project.pk)
        unchanged = before is not None and _is_same(before, look)
        try:
            with transaction.atomic():
                _remember(look, now)
                if not unchanged:
                    row = _write(look, before, now)
                    if row.verdict in ACTS:
                        acts.append(row)
        except DatabaseError:
            log.exception("sweep.not_written", project=look.project.slug)
            continue
        if before is not None and unchanged:
            same.append(before.pk)
    Decision.objects.filter(pk__in=same).update(last_at=now)
    return acts


def _is_same(before: Decision, look: Look) -> bool:
    found = look.decision
    return (
        before.verdict not in ACTS
        and (before.verdict, before.rule, before.cause) == (found.verdict, found.rule, found.cause)
        and (before.due_at, before.docker_id) == (found.due_at, look.docker_id)
    )


def _remember(look: Look, now: datetime) -> None:
    if look.history != look.before:
        HealthMemory.objects.update_or_create(project=look.project, defaults={"history": as_json(look.history)})
    if look.history.told_at is not None and look.before.told_at is None:
        message = f"A {look.decision.wish} of {look.project.slug} has been due and waiting for 7 days: {look.decision.reason}"
        record("health.waiting_long", project=look.project, actor=HUB, message=message, rule=str(look.decision.rule))


def _write(look: Look, before: Decision | None, now: datetime) -> Decision:
    found = look.decision
    row = Decision.objects.create(
        project=look.project,
        at=now,
        last_at=now,
        docker_id=look.docker_id,
        verdict=found.verdict,
        rule=found.rule,
        cause=found.cause,
        reason=found.reason,
        numbers=dict(found.numbers),
        due_at=found.due_at,
    )
    if _worth_telling(found, before):
        record(
            f"health.{found.verdict}",
            project=look.project,
            actor=HUB,
            message=found.reason,
            decision=row.pk,
            rule=str(found.rule),
            cause=str(found.cause),
        )
    return row


def _worth_telling(found: decisions.Decision, before: Decision | None) -> bool:
    """Acts, holds, and waits of something that is due; and that it is well again after one of those. Not each breath."""
    if found.verdict in ACTS:
        return True
    if found.cause is Cause.NOTHING_TO_WIN:
        return False  # the same of every container: told once, of the Engine's disk
    told = before is not None and before.verdict in (Verdict.HOLD, Verdict.WAIT)
    if found.verdict is Verdict.KEEP:
        return told and found.cause is Cause.NONE and _was_told(before)
    again = before is not None and (before.verdict, before.rule) == (found.verdict, found.rule) and found.cause is not Cause.SUSPECT
    return not again and (found.verdict is Verdict.HOLD or found.wish is not None)


def _was_told(before: Decision | None) -> bool:
    untold = (Cause.NOTHING_TO_WIN, Cause.SECOND_READING, Cause.UNMEASURED, Cause.BACK_OFF)
    return before is not None and before.cause not in untold
