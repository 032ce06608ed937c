"""Channels: made, removed, tried. The signing secret is given once, to who made the channel."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from projects.access import configurable_channels, is_administrator
from projects.models import Channel, Delivery, Project
from projects.services.errors import BadInput, Busy, NotFound
from projects.services.notifications import mail, webhook
from projects.services.notifications.address import checked_url
from projects.services.notifications.send import CLAIMED_FOR, attempt
from projects.services.notifications.topics import OF_A_PROJECT
from projects.services.record import Actor, record
from projects.states import ChannelKind, Topic

NAME_LENGTH = 100
CHANNELS_LIMIT = 20
TEST_SPACING = timedelta(seconds=10)


def make_channel(
    *, project: Project | None, name: str, kind: ChannelKind, target: str, wants: Sequence[Topic] = (), actor: Actor
) -> tuple[Channel, str]:
    """The channel and, of a webhook, the secret that signs, which nobody can show again. No `wants` is all that it may hear of.

    An actor who is no administrator gets a webhook that reaches public addresses only. Raises BadInput.
    """
    trusted = actor.user is None or is_administrator(actor.user)
    name = checked_name(name)
    topics = checked_topics(wants, of_a_project=project is not None)
    target = checked_target(kind, target, any_address=trusted)
    secret = webhook.new_secret() if kind is ChannelKind.WEBHOOK else ""
    with transaction.atomic():
        if Channel.objects.filter(project=project).count() >= CHANNELS_LIMIT:
            raise BadInput(f"There are at most {CHANNELS_LIMIT} channels of a project, and of the hub; remove one first.")
        fields: dict[str, Any] = {"kind": kind, "target": target, "secret": secret, "wants": [str(topic) for topic in topics]}
        row = Channel.objects.create(project=project, name=name, any_address=trusted, created_by_name=actor.name, **fields)
        message = f"The channel {name} ({kind}) is told of {', '.join(topics)}."
        event = record("channel.created", actor=actor, project=project, message=message, channel=row.pk)
        row.after_event = event.pk
        row.save(update_fields=["after_event"])
    return row, secret


def remove_channel(*, channel: Channel, actor: Actor) -> None:
    """With its deliveries; what waits is not sent any more. Raises NotFound when it is gone already."""
    with transaction.atomic():
        removed, _by_model = Channel.objects.filter(pk=channel.pk).delete()
        if not removed:
            raise NotFound(f"There is no channel {channel.pk}; look at the list of channels.")
        record(
            "channel.removed", actor=actor, project=channel.project, message=f"The channel {channel.name} was removed.", channel=channel.pk
        )


def try_channel(*, channel: Channel, actor: Actor) -> Delivery:
    """Send a test now, once, and answer how it went. Raises Busy within 10 seconds of the last."""
    now = timezone.now()
    with transaction.atomic():
        Channel.objects.select_for_update().filter(pk=channel.pk).first()  # so that two tests at once see each other
        if Delivery.objects.filter(channel=channel, event_id__isnull=True, created_at__gt=now - TEST_SPACING).exists():
            raise Busy(f"The channel {channel.name} was tested just now; wait {TEST_SPACING.seconds} seconds, then try again.")
        message = f"A test of the channel {channel.name}, asked for by {actor.name}."
        row = Delivery.objects.create(
            channel=channel,
            event_kind="test",
            event_at=now,
            project_slug=channel.project.slug if channel.project else "",
            subject="test",
            message=message,
            attempts=1,
            next_at=now + CLAIMED_FOR,
        )
        record("channel.tested", actor=actor, project=channel.project, message=message, channel=channel.pk)
    attempt([row], now=now, again=False)
    row.refresh_from_db()
    return row


def list_channels(user: Any) -> QuerySet[Channel]:
    """Those that the user may change: of the projects that he owns; administrators all."""
    return configurable_channels(user)


def checked_name(name: str) -> str:
    """Raises BadInput."""
    name = name.strip()
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise BadInput(f"Give the channel a name of 1 to {NAME_LENGTH} printable characters.")
    return name


def checked_topics(wants: Sequence[Topic], *, of_a_project: bool) -> tuple[Topic, ...]:
    """In their own order, each once. Raises BadInput."""
    offered = OF_A_PROJECT if of_a_project else tuple(Topic)
    if Topic.ENGINE in wants and of_a_project:
        raise BadInput(f"A project's channel hears of {', '.join(offered)}; the Engine is told of by the hub's own channels.")
    return tuple(topic for topic in offered if topic in wants) or offered


def checked_target(kind: ChannelKind, target: str, *, any_address: bool) -> str:
    """Raises BadInput."""
    if kind is ChannelKind.WEBHOOK:
        return checked_url(target, any_address=any_address)
    if not mail.is_set_up():
        raise BadInput("This hub has no mail server; an administrator has to set CONTAINERHUB_EMAIL_URL first.")
    try:
        validate_email(target)
    except ValidationError as error:
        raise BadInput("That is no mail address; write one such as ops@example.com.") from error
    return target
