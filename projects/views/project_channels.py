"""Who is told of what happens in a project, by its settings page. A webhook's secret is shown once, on the page after."""

from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest

from projects.models import Channel, Delivery, Project
from projects.services.errors import BadInput, NotFound, Unready
from projects.services.notifications import make_channel, remove_channel, try_channel
from projects.services.record import Actor
from projects.states import ChannelKind, DeliveryState, Topic
from projects.views.changing import Question, changing, is_confirmed
from projects.views.shown_once import keep

NEW_SECRET = "new_channel_secret"  # a place in the session
WORDS = {
    Topic.HOLD: "it is left to people",
    Topic.REFRESH: "a refresh by the hub itself",
    Topic.UNHEALTHY: "a failing health check",
    Topic.WAITING: "a refresh that waits for 7 days",
}
"""What a project's channel hears of, as people read it."""


def channels_of(project: Project) -> QuerySet[Channel]:
    """With how the last telling of each went."""
    newest = Delivery.objects.filter(channel=OuterRef("pk")).order_by("-created_at")
    last = {f"last_{field}": Subquery(newest.values(field)[:1]) for field in ("state", "error", "created_at")}
    return Channel.objects.filter(project=project).annotate(**last)


@changing("notifications")
def channels(request: HttpRequest, project: Project, actor: Actor) -> str | Question:
    wish = request.POST.get("do", "")
    if wish == "add":
        return _add(request, project, actor)
    if wish not in ("test", "remove"):
        raise BadInput("Choose whether to add, test or remove a channel.")
    channel = _named(project, request.POST.get("channel", ""))
    if wish == "test":
        return _test(channel, actor)
    if not is_confirmed(request):
        loses = ("Its address and its secret, which nobody can read back.", "What waits to be sent is not sent any more.")
        return Question(f"Remove the channel {channel.name} of {project.name}?", "Remove channel", loses)
    remove_channel(channel=channel, actor=actor)
    return f"The channel {channel.name} is removed; nobody is told by it any more."


def _add(request: HttpRequest, project: Project, actor: Actor) -> str:
    try:
        kind = ChannelKind(request.POST.get("kind", ""))
        wants = [Topic(topic) for topic in request.POST.getlist("wants")]
    except ValueError as error:
        raise BadInput("Choose mail or webhook, and what to tell of from those that are offered.") from error
    if not wants:
        raise BadInput("Choose at least one thing that the channel is told of.")
    target = request.POST.get("target", "").strip()
    row, secret = make_channel(project=project, name=request.POST.get("name", ""), kind=kind, target=target, wants=wants, actor=actor)
    if secret:
        keep(request, NEW_SECRET, pk=row.pk, secret=secret)
    return f"The channel {row.name} is made: send it a test."


def _test(channel: Channel, actor: Actor) -> str:
    sent = try_channel(channel=channel, actor=actor)
    if sent.state != DeliveryState.DELIVERED:
        raise Unready(f"The test of {channel.name} was not delivered: {sent.error}")
    return f"The test of {channel.name} was delivered."


def _named(project: Project, pk: str) -> Channel:
    known = pk.isascii() and pk.isdigit() and len(pk) < 19
    channel = Channel.objects.select_related("project").filter(project=project, pk=int(pk)).first() if known else None
    if channel is None:
        raise NotFound("There is no such channel in this project; somebody may have removed it.")
    return channel
