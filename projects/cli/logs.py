"""`hub logs`: what the container itself wrote."""

import sys
from typing import Annotated

import typer

from projects.cli.copying import silence_stdout
from projects.cli.frame import ProjectArgument, project_named
from projects.cli.signals import Signalled, Signals
from projects.cli.times import SinceOption, TailOption, line_count, moment
from projects.services.container_logs import container_logs, follow_container_logs


def logs(
    project: ProjectArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C or its end.")] = False,
    tail: TailOption = "200",
    since: SinceOption = "",
    timestamps: Annotated[bool, typer.Option("--timestamps", "-t", help="Its time before each line.")] = False,
) -> None:
    """Print what the container itself wrote.

    That is its init; the output of commands is not in it: see hub runs and hub output.
    """
    lines_wanted, oldest = line_count(tail), moment(since) if since else None
    found = project_named(project)
    if not follow:
        sys.stdout.buffer.write(container_logs(project=found, tail=lines_wanted, since=oldest, timestamps=timestamps))
        return
    with Signals() as signals:
        lines = follow_container_logs(project=found, tail=lines_wanted, since=oldest, timestamps=timestamps)
        try:
            with signals.raising():
                for data in lines:
                    sys.stdout.buffer.write(data)
                    sys.stdout.buffer.flush()
        except Signalled as signalled:
            silence_stdout()
            raise typer.Exit(signalled.status) from signalled
