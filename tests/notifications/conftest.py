from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from containerhub.mail import mail_settings
from projects.models import Channel, Delivery, Event, Project
from projects.services.notifications import make_channel, queue_events, send_due
from projects.services.record import HUB, Actor, record
from projects.states import ChannelKind, Topic
from tests.cast import cast, fake_engine, pages
from tests.notifications.receivers import USER, Mailbox, Receiver, receiver, smtp_server

__all__ = ["cast", "fake_engine", "hook", "mailbox", "mailhub", "news", "pages"]


@dataclass
class News:
    """`at(minutes)` looks at the audit trail and sends what is due, so long after the beginning."""

    settings: Any
    began: datetime = field(default_factory=lambda: datetime.now(UTC) + timedelta(seconds=1))

    def at(self, minutes: float) -> int:
        now = self.began + timedelta(minutes=minutes)
        queue_events(now=now)
        return send_due(now=now)

    def webhook(self, url: str, *wants: Topic, project: Project | None = None, actor: Actor = HUB) -> tuple[Channel, str]:
        return make_channel(project=project, name="ops", kind=ChannelKind.WEBHOOK, target=url, wants=wants, actor=actor)

    def mail(self, target: str = "ops@example.com", *wants: Topic, project: Project | None = None) -> Channel:
        return make_channel(project=project, name="ops", kind=ChannelKind.EMAIL, target=target, wants=wants, actor=HUB)[0]

    def happens(self, kind: str = "health.hold", slug: str = "web", message: str = "Left to people.") -> Event:
        return record(kind, actor=HUB, slug=slug, message=message)

    def minutes_until_next(self) -> float:
        found = Delivery.objects.get().next_at
        assert found is not None
        return (found - self.began).total_seconds() / 60


@pytest.fixture
def news(db, settings) -> News:
    return News(settings)


@pytest.fixture
def hook():
    with receiver() as found:
        yield found


@pytest.fixture(scope="module")
def mailbox():
    with smtp_server() as box:
        yield box


@pytest.fixture
def mailhub(settings, mailbox: Mailbox) -> Mailbox:
    """The hub is set up for that server."""
    use_mail(settings, mailbox, "pass%2Fword%3Anot-to-be-seen")
    mailbox.mails.clear()
    return mailbox


def use_mail(settings: Any, box: Mailbox, password: str) -> None:
    url = f"smtp://{USER}:{password}@127.0.0.1:{box.port}?starttls=no"
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"email_url": url, "email_from": "hub@example.com"})
    settings.DEFAULT_FROM_EMAIL = "hub@example.com"
    for name, value in mail_settings(url).items():
        setattr(settings, name, value)


def last(hook: Receiver) -> tuple[str, Any, bytes]:
    return hook.posts[-1]
