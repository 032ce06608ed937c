"""`hub events`: the audit trail, and what is added to it."""

import json
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from django.db import connection

from projects.cli.frame import JsonOption, complete_project, print_json, printable
from projects.cli.signals import Signalled, Signals
from projects.cli.times import SinceOption, TailOption, clock, line_count, moment
from projects.models import Event
from projects.services.trail import events_after, last_events, last_id

POLL_SECONDS = 0.5


def events(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")] = False,
    project: Annotated[
        str,
        typer.Option("--project", "-p", help="Of that one only.", autocompletion=complete_project, show_default=False),
    ] = "",
    since: SinceOption = "",
    tail: TailOption = "50",
    as_json: JsonOption = False,
) -> None:
    """Show what happened, oldest first.

    With --json and --follow it is one object a line.
    """
    oldest, most = moment(since) if since else None, line_count(tail)
    if as_json and not follow:
        print_json([_json(event) for event in last_events(slug=project, since=oldest, limit=most)])
        return
    with Signals() as signals:
        try:
            with signals.raising():
                after = last_id()  # asked first: what comes meanwhile is either in the list or after it
                for event in last_events(slug=project, since=oldest, limit=most):
                    _print(event, as_json)
                    after = event.pk
                for event in _following(after, project) if follow else ():
                    _print(event, as_json)
        except Signalled as signalled:
            raise typer.Exit(signalled.status) from signalled


def _following(after: int, slug: str) -> Iterator[Event]:
    while True:
        batch = list(events_after(after, slug=slug))
        for event in batch:
            after = event.pk
            yield event
        if not batch:
            connection.close()  # a follower for days must not keep a connection of PostgreSQL that nobody uses
            time.sleep(POLL_SECONDS)


def _print(event: Event, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(_json(event), default=str))
    else:
        where = f" {event.project_slug}" if event.project_slug else ""
        typer.echo(f"{clock(event.at)} {event.kind}{where} ({printable(event.actor_name)}): {printable(event.message)}")


def _json(event: Event) -> dict[str, Any]:
    return {
        "id": event.pk,
        "at": event.at.isoformat(),
        "kind": event.kind,
        "project": event.project_slug or None,
        "actor": event.actor_name,
        "message": event.message,
        "details": event.details,
    }
