"""Where a user is signed in, and ending that. A session's key is never shown: it is named by the start of its digest."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.dateparse import parse_datetime

from projects.services.errors import NotFound
from projects.services.record import Actor, record

NOTE = "signed_in"
AGENT_LENGTH = 300
SHOWN_LENGTH = 80
# In this order: each of them names those after it too.
_BROWSERS = (
    ("Edge", r"Edg(?:e|A|iOS)?/(\d+)"),
    ("Opera", r"OPR/(\d+)"),
    ("Firefox", r"(?:Firefox|FxiOS)/(\d+)"),
    ("Chrome", r"(?:Headless)?(?:Chrome|CriOS)/(\d+)"),
    ("Safari", r"Version/(\d+)[\d.]* .*Safari/"),
)
_SYSTEMS = (
    ("Android", "Android"),
    ("iOS", "iPhone"),
    ("iPadOS", "iPad"),
    ("Windows", "Windows"),
    ("macOS", "Mac OS X"),
    ("Linux", "Linux"),
)
MOST_SESSIONS = 10_000
"""Looked through, the ones that end last first: a session's user stands inside of it."""


@dataclass(frozen=True)
class SignedIn:
    """One session. What was not noted when it began is None or empty."""

    name: str
    current: bool
    begun_at: datetime | None
    agent: str
    address: str
    ends_at: datetime

    @property
    def browser(self) -> str:
        """In a few words, as far as such words can be trusted."""
        return browser_of(self.agent)


def browser_of(agent: str) -> str:
    """ "Firefox 140 on Linux" of what a browser says of itself; what is no browser's is given as it is, "not known" for nothing."""
    name = next(((word, found[1]) for word, pattern in _BROWSERS if (found := re.search(pattern, agent))), None)
    if name is None:
        return agent[:SHOWN_LENGTH] or "not known"
    system = next((word for word, mark in _SYSTEMS if mark in agent), "")
    return f"{name[0]} {name[1]}" + (f" on {system}" if system else "")


def note_sign_in(session: Any, *, agent: str, address: str) -> None:
    """At a sign-in: from where and with what, for `own_sessions`."""
    session[NOTE] = {"at": timezone.now().isoformat(), "agent": agent[:AGENT_LENGTH], "address": address}


def own_sessions(*, user: Any, current_key: str) -> list[SignedIn]:
    """The present one first, then the newest. Those that a change of the password ended are not there."""
    found = [_shown(row, data, current_key) for row, data in _of(user)]
    return sorted(found, key=lambda one: (one.current, one.begun_at or datetime.min.replace(tzinfo=one.ends_at.tzinfo)), reverse=True)


def end_other_sessions(*, user: Any, current_key: str, actor: Actor) -> int:
    """Sign out everywhere else; how many that were. Their sockets close within 30 s."""
    keys = [row.session_key for row, _data in _of(user) if row.session_key != current_key]
    _end(keys, user, actor)
    return len(keys)


def end_session(*, user: Any, name: str, actor: Actor) -> None:
    """Sign out one. Raises NotFound."""
    keys = [row.session_key for row, _data in _of(user) if _name(row) == name]
    if not keys:
        raise NotFound("That session is over already.")
    _end(keys, user, actor)


def _end(keys: list[str], user: Any, actor: Actor) -> None:
    if not keys:
        return
    with transaction.atomic():
        Session.objects.filter(session_key__in=keys).delete()
        many = "1 session" if len(keys) == 1 else f"{len(keys)} sessions"
        message = f"{user.get_username()} was signed out of {many}."
        record("session.ended", actor=actor, message=message, user=user.get_username(), count=len(keys))


def _of(user: Any) -> Iterator[tuple[Session, dict[str, Any]]]:
    rows = Session.objects.filter(expire_date__gt=timezone.now()).order_by("-expire_date")[:MOST_SESSIONS]
    for row in rows:
        data = row.get_decoded()
        proof = str(data.get(HASH_SESSION_KEY, ""))
        if data.get(SESSION_KEY) == str(user.pk) and constant_time_compare(proof, user.get_session_auth_hash()):
            yield row, data


def _shown(row: Session, data: dict[str, Any], current_key: str) -> SignedIn:
    note = data.get(NOTE) or {}
    return SignedIn(
        name=_name(row),
        current=row.session_key == current_key,
        begun_at=parse_datetime(note.get("at", "")),
        agent=note.get("agent", ""),
        address=note.get("address", ""),
        ends_at=row.expire_date,
    )


def _name(row: Session) -> str:
    return hashlib.sha256(row.session_key.encode()).hexdigest()[:16]
