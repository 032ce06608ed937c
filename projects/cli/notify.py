"""`hub notify`: who is told of what happens, by mail or webhook. No url is ever on a command line, or shown again."""

from typing import Annotated, Any

import typer

from projects.cli.frame import REFUSED, JsonOption, actor, complain, complete_project, noun, print_json, print_table, project_named
from projects.cli.names import channel_numbered, complete_channel
from projects.cli.secret_input import read_secret
from projects.cli.times import span
from projects.models import Channel, Delivery
from projects.services.notifications import make_channel, remove_channel, try_channel
from projects.services.notifications.channels import checked_name, checked_topics
from projects.services.notifications.facts import channel_facts, delivery_facts
from projects.states import ChannelKind, DeliveryState, Topic

group = noun("notify", "Notifications: mail addresses and webhooks that are told of what happens.")
ChannelArgument = Annotated[int, typer.Argument(metavar="ID", help="Its number (hub notify ls).", autocompletion=complete_channel)]
ProjectOption = Annotated[
    str, typer.Option("--project", "-p", metavar="PROJECT", help="Of that one only.", autocompletion=complete_project, show_default=False)
]


@group.command()
def ls(project: ProjectOption = "", as_json: JsonOption = False) -> None:
    """List the channels.

    For example: hub notify ls
    """
    rows = Channel.objects.select_related("project")
    found = list(rows.filter(project=project_named(project)) if project else rows)
    if as_json:
        print_json([channel_facts(row) for row in found])
    else:
        print_table(["ID", "PROJECT", "NAME", "KIND", "ADDRESS", "WANTS"], [_cells(row) for row in found], numbers=["ID"])


@group.command()
def add(
    name: Annotated[str, typer.Argument(help="To tell it by, for example ops.")],
    kind: Annotated[ChannelKind, typer.Option(help="How it tells.")],
    project: Annotated[
        str,
        typer.Option("--project", "-p", metavar="PROJECT", help="Whose it is.", autocompletion=complete_project, show_default="the hub's"),
    ] = "",
    wants: Annotated[list[Topic] | None, typer.Option(help="What it hears of; may be given again.", show_default="all it may")] = None,
) -> None:
    """Make a channel: its mail address or url is asked for, or read from stdin. A webhook's secret is printed, once.

    For example: hub notify add ops --kind webhook < url.txt
    """
    found = project_named(project) if project else None
    checked, topics = checked_name(name), checked_topics(wants or (), of_a_project=found is not None)  # before anything is typed
    target = read_secret("Mail address" if kind is ChannelKind.EMAIL else "Webhook's url")
    row, secret = make_channel(project=found, name=checked, kind=kind, target=target, wants=topics, actor=actor())
    typer.echo(f"Channel {row.pk} is told of {', '.join(row.wants)}; hub notify test {row.pk} tries it.", err=bool(secret))
    if secret:
        typer.echo("Keep the secret that signs now, it is not shown again:", err=True)
        typer.echo(secret)


@group.command()
def rm(channel: ChannelArgument) -> None:
    """Remove a channel; what waits is not sent any more.

    For example: hub notify rm 3
    """
    found = channel_numbered(channel)
    remove_channel(channel=found, actor=actor())
    typer.echo(f"{channel}: {found.name} is removed")


@group.command()
def test(channel: ChannelArgument) -> None:
    """Send a test now, and say how it went.

    For example: hub notify test 3
    """
    row = try_channel(channel=channel_numbered(channel), actor=actor())
    if row.state != DeliveryState.DELIVERED:
        raise typer.Exit(complain(f"not delivered: {row.error}", REFUSED))
    typer.echo(f"{channel}: delivered ({row.response_code})")


@group.command()
def deliveries(
    channel: Annotated[int, typer.Option(metavar="ID", help="Of that one only.", autocompletion=complete_channel, show_default=False)] = 0,
    tail: Annotated[int, typer.Option("--tail", "-n", min=1, max=10_000, help="So many at most.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """List what was sent or waits, newest first.

    For example: hub notify deliveries --channel 3
    """
    rows = Delivery.objects.select_related("channel")
    found = list((rows.filter(channel=channel_numbered(channel)) if channel else rows)[:tail])
    if as_json:
        print_json([_delivery_json(row) for row in found])
    else:
        columns = ["MADE", "CHANNEL", "EVENT", "PROJECT", "STATE", "ANSWER", "ATTEMPTS", "NEXT TRY", "ERROR"]
        print_table(columns, [_delivery_cells(row) for row in found], numbers=["ANSWER", "ATTEMPTS"])


def _cells(row: Channel) -> list[object]:
    return [row.pk, row.project.slug if row.project else "-", row.name, row.kind, row.address, ", ".join(row.wants)]


def _delivery_cells(row: Delivery) -> list[object]:
    following = row.next_at.isoformat(timespec="seconds") if row.next_at else "-"
    answer = "-" if row.response_code is None else row.response_code
    made = f"{span(row.created_at)} ago"
    return [made, row.channel.name, row.event_kind, row.project_slug or "-", row.state, answer, row.attempts, following, row.error]


def _delivery_json(row: Delivery) -> dict[str, Any]:
    return {**delivery_facts(row), "id": str(row.pk)}
