"""The rows of sessions, kept as the sessions are."""

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from projects.models import Project, TerminalSession
from projects.models.terminal import SESSION_PATTERN
from projects.services.record import HUB, Actor, record


def compare(project: Project, names: set[str]) -> None:
    """Rows as the sessions are: one that ended is closed, one that somebody made inside the container gets its row.

    One that waits since a refresh stays open."""
    with transaction.atomic():
        rows = TerminalSession.objects.select_for_update().filter(project=project, closed_at__isnull=True)
        known = set(rows.values_list("name", flat=True))
        for name in sorted(set(rows.filter(left_docker_id="").values_list("name", flat=True)) - names):
            rows.filter(name=name).update(closed_at=timezone.now())
            record("terminal.closed", actor=HUB, project=project, message=f"The terminal {name} has ended.", session=name)
        for name in sorted(found for found in names - known if re.fullmatch(SESSION_PATTERN, found)):
            TerminalSession.objects.create(project=project, name=name, created_by_name="the container")


def save_opened(project: Project, name: str, actor: Actor) -> TerminalSession:
    """The row of an open session, and its event if it is new."""
    with transaction.atomic():
        row, made = TerminalSession.objects.get_or_create(
            project=project, name=name, closed_at=None, defaults={"created_by_name": actor.name}
        )
        if made:
            record("terminal.opened", actor=actor, project=project, message=f"The terminal {name} was opened.", session=name)
    return row


class Use(NamedTuple):
    """Somebody typed into an open session, or it printed."""

    project_id: int
    session: str
    typed: bool


def note_uses(noted: Iterable[Use]) -> None:
    """That they were used just now."""
    now = timezone.now()
    names: dict[tuple[int, bool], list[str]] = defaultdict(list)
    for use in noted:
        names[use.project_id, use.typed].append(use.session)
    with transaction.atomic():
        for (project_id, typed), sessions in names.items():
            rows = TerminalSession.objects.filter(project=project_id, name__in=sessions, closed_at__isnull=True)
            if typed:
                rows.update(last_input_at=now)
            else:
                rows.update(last_output_at=now)
