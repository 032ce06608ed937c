"""The command line as a whole: `hub --help` lists what the modules beside this one add."""

import logging
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from projects.cli import (
    completion,
    containers,
    events,
    execute,
    hub,
    images,
    keys,
    listing,
    logs,
    manifests,
    members,
    notify,
    people,
    runs,
    settings,
    shell,
    tokens,
)
from projects.cli.frame import HELP, HubGroup

EPILOG = "\n\n".join(
    (
        "Exit status:",
        "0 done",
        "1 refused or failed, with one line on stderr that says why",
        "2 wrong usage",
        "69 the Docker Engine cannot be reached, or was lost on the way",
        "130 interrupted by Ctrl-C",
        "hub shell: the shell's own; 0 when it was left by Ctrl-]",
        "hub exec: the command's own; 124 when it timed out, 130 when interrupted, 137 when killed",
        "For example: hub add ~/projects/site; hub ensure site; hub exec site -- git status",
    )
)

app = typer.Typer(
    name="hub",
    cls=HubGroup,
    help="ContainerHub from the shell: one long-running container for each project.",
    epilog=EPILOG,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings=HELP,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        try:
            typer.echo(f"hub {version('containerhub')}")
        except PackageNotFoundError:
            typer.echo("hub (run from a checkout)")
        raise typer.Exit


@app.callback()
def root(
    context: typer.Context,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log with each error's cause.")] = False,
    _version: Annotated[bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    if verbose:
        logging.getLogger().setLevel(logging.INFO)
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


COMMANDS = {
    "Look": (listing.ps, listing.stats, manifests.diff, logs.logs, runs.runs, runs.output, events.events),
    "Projects": (hub.add, hub.clone, hub.discover, settings.settings, hub.chown, containers.remove),
    "Containers": (
        containers.ensure,
        containers.start,
        containers.stop,
        containers.restart,
        containers.refresh,
        execute.execute,
        shell.shell,
        runs.kill,
    ),
    "The hub": (images.build, images.images, hub.cleanup, hub.doctor, completion.completion),
}
GROUPS = {
    "People": (people.group, members.group, tokens.group),
    "Keys": (keys.secret, keys.deploy_key, keys.git_token),
    "Notifications": (notify.group,),
}
NAMES = {"remove": "rm", "execute": "exec", "settings": "set"}

for panel, commands in COMMANDS.items():
    for command in commands:
        app.command(NAMES.get(command.__name__, command.__name__), rich_help_panel=panel)(command)
for panel, groups in GROUPS.items():
    for group in groups:
        app.add_typer(group, rich_help_panel=panel)
