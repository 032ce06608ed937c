"""Mail by Django's own backend: one mail for all that is due of a subject."""

import contextlib
import smtplib
from collections.abc import Sequence

from django.conf import settings
from django.core.mail import EmailMessage, get_connection

from projects.models import Channel, Delivery
from projects.services.notifications.outcome import Outcome

MOST_SHOWN = 50


def is_set_up() -> bool:
    return bool(settings.CONTAINERHUB.email_url)


def send(channel: Channel, rows: Sequence[Delivery]) -> Outcome:
    """Never raises for what the mail server does."""
    if not is_set_up():
        return Outcome(False, error="The hub has no mail server; set CONTAINERHUB_EMAIL_URL and start it again.")
    try:
        _send(EmailMessage(subject=_subject(rows), body=_body(channel, rows), to=[channel.target]))
    except smtplib.SMTPRecipientsRefused as error:
        code, said = next(iter(error.recipients.values()))
        return Outcome(False, code, f"The mail server refuses the address: {_text(said)}")
    except smtplib.SMTPResponseException as error:
        return Outcome(False, error.smtp_code, f"The mail server refuses: {_text(error.smtp_error)}")
    except (smtplib.SMTPException, OSError) as error:
        return Outcome(False, error=f"The mail server cannot be used ({type(error).__name__}); see CONTAINERHUB_EMAIL_URL.")
    return Outcome(True, 250)


def _send(mail: EmailMessage) -> None:
    """Django leaves a connection open whose sign-in was refused. What goes wrong with the good-bye takes nothing back."""
    connection = mail.connection = get_connection()
    try:
        connection.open()
        mail.send()
    finally:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.close()


def _subject(rows: Sequence[Delivery]) -> str:
    more = f" ({len(rows)} times)" if len(rows) > 1 else ""
    return f"ContainerHub: {rows[0].subject}{more}"


def _body(channel: Channel, rows: Sequence[Delivery]) -> str:
    lines = [f"{row.event_at:%Y-%m-%d %H:%M:%S} UTC  {row.message}" for row in rows[-MOST_SHOWN:]]
    if len(rows) > MOST_SHOWN:
        lines.insert(0, f"The last {MOST_SHOWN} of {len(rows)}:")
    place = f"/projects/{rows[0].project_slug}/" if rows[0].project_slug else "/"
    why = f"You get this from the channel {channel.name}; of one subject there is at most one mail an hour."
    return "\n".join([*lines, "", f"{settings.CONTAINERHUB.url}{place}", "", "-- ", why, ""])


def _text(said: bytes | str) -> str:
    """In one line."""
    return " ".join((said.decode(errors="replace") if isinstance(said, bytes) else said).split())[:300]
