"""Sending what is due. A delivery is claimed by moving its `next_at`; killed in the middle, it is tried again when that has come.

So a receiver may get the same one twice, always under the same id, and never not at all. Mail of one subject goes once an hour: what comes
meanwhile is summed up in the next.
"""

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import F, Max
from django.utils import timezone

from projects.models import Channel, Delivery
from projects.services.notifications import mail, webhook
from projects.services.notifications.outcome import Outcome
from projects.services.record import HUB, record
from projects.services.sweep.lease import LeaseLost, taken
from projects.states import ChannelKind, DeliveryState

BACK_OFF_MINUTES = (1, 5, 15, 60, 6 * 60, 24 * 60)
"""After each attempt that failed; after the last of them it is given up."""
CLAIMED_FOR = timedelta(minutes=2)
MAIL_SPACING = timedelta(hours=1)
BUDGET_SECONDS = 80
"""Shorter than the lease with one slow receiver more; what is left goes at the next tick."""
SEND = "notifications-send"

log = structlog.get_logger(__name__)


def send_due(*, now: datetime | None = None) -> int:
    """Try everything that is due, a channel that failed not twice; how many attempts. Nothing while another is at it."""
    now = now or timezone.now()
    deadline = time.monotonic() + BUDGET_SECONDS
    attempts = 0
    with taken(SEND, now, spacing_seconds=0) as lease:
        if lease is None:
            return 0
        failed: set[int] = set()
        try:
            while time.monotonic() < deadline and (first := _next(now, failed)) is not None:
                lease.confirm()
                rows = _claimed(first, now)
                if rows:
                    attempts += 1
                    if not attempt(rows, now=now).delivered:
                        failed.add(first.channel_id)
        except LeaseLost:
            log.warning("notifications.overtaken")
    return attempts


def attempt(rows: Sequence[Delivery], *, now: datetime, again: bool = True) -> Outcome:
    """One attempt at these, all of one channel and claimed, and what came of it written. No transaction is open meanwhile."""
    channel = rows[0].channel
    outcome = mail.send(channel, rows) if channel.kind == ChannelKind.EMAIL else webhook.send(channel, rows[0])
    attempts = max(row.attempts for row in rows)
    final = outcome.delivered or not again or attempts > len(BACK_OFF_MINUTES)
    fields: dict[str, object] = {"response_code": outcome.code, "error": outcome.error}
    if final:
        state = DeliveryState.DELIVERED if outcome.delivered else DeliveryState.FAILED
        fields |= {"state": state, "next_at": None, "finished_at": now}
    else:
        fields["next_at"] = now + timedelta(minutes=BACK_OFF_MINUTES[attempts - 1])
    with transaction.atomic():
        Delivery.objects.filter(pk__in=[row.pk for row in rows], state=DeliveryState.WAITING).update(**fields)
        if final and again and not outcome.delivered:
            _tell_given_up(channel, attempts, outcome)
    if not outcome.delivered:
        log.warning("notification.failed", channel=channel.pk, attempts=attempts, code=outcome.code, error=outcome.error)
    return outcome


def _tell_given_up(channel: Channel, attempts: int, outcome: Outcome) -> None:
    message = f"The channel {channel.name} was not reached in {attempts} attempts, so that was given up: {outcome.error}"
    record("channel.given_up", actor=HUB, project=channel.project, message=message, channel=channel.pk)


def _next(now: datetime, failed: set[int]) -> Delivery | None:
    due = Delivery.objects.filter(state=DeliveryState.WAITING, next_at__lte=now).exclude(channel_id__in=failed)
    return due.select_related("channel__project").order_by("next_at", "created_at", "event_id").first()


def _claimed(first: Delivery, now: datetime) -> list[Delivery]:
    """What goes out together with the first one: of a webhook nothing, of a mail its subject; empty when it must wait for its hour."""
    rows = Delivery.objects.filter(pk=first.pk)
    if first.channel.kind == ChannelKind.EMAIL:
        rows = Delivery.objects.filter(channel=first.channel, subject=first.subject, state=DeliveryState.WAITING)
        sent = Delivery.objects.filter(channel=first.channel, subject=first.subject, state=DeliveryState.DELIVERED, event_id__isnull=False)
        last = sent.aggregate(last=Max("finished_at"))["last"]
        if last is not None and last + MAIL_SPACING > now:
            rows.filter(next_at__lt=last + MAIL_SPACING).update(next_at=last + MAIL_SPACING)
            return []
    keys = list(rows.values_list("pk", flat=True))
    claimed = Delivery.objects.filter(pk__in=keys, state=DeliveryState.WAITING)
    claimed.update(next_at=now + CLAIMED_FOR, attempts=F("attempts") + 1)
    return list(claimed.select_related("channel__project").order_by("event_id"))
