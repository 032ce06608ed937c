"""`hub runs output kill`: the commands that were run, whoever ran them and wherever from."""

import time
from typing import Annotated, Any

import typer

from projects.cli.copying import Copying, OutputGone
from projects.cli.execute import FOLLOW_SECONDS
from projects.cli.frame import REFUSED, JsonOption, actor, complain, complete_project, print_json, print_table, project_named
from projects.cli.names import RunArgument, complete_run
from projects.cli.signals import Signalled, Signals
from projects.cli.times import TailOption, line_count, span
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands import kill_command
from projects.services.run_list import find_run, list_runs, short_id
from projects.states import RunState

COMMAND_SHOWN = 60


def runs(
    project: Annotated[str, typer.Argument(metavar="[PROJECT]", help="None: of all.", autocompletion=complete_project)] = "",
    tail: TailOption = "50",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Ids only, one a line.")] = False,
    of: Annotated[
        str, typer.Option("--output", metavar="RUN", help="Print that one's output, as hub output.", autocompletion=complete_run)
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """List commands that were run, newest first."""
    if of:
        output(of)
        return
    found = list_runs(project=project_named(project) if project else None, limit=line_count(tail))
    if as_json:
        print_json([_json(run) for run in found])
    elif quiet:
        for run in found:
            typer.echo(short_id(run))
    else:
        columns = ["ID", "PROJECT", "STATE", "STARTED", "SECONDS", "BY", "COMMAND"]
        print_table(columns, [_cells(run) for run in found], numbers=["SECONDS"])


def output(
    run: RunArgument,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the command ends, or Ctrl-C, which does not end it.")] = False,
) -> None:
    """Print a run's output: its stdout to stdout, its stderr to stderr."""
    found = find_run(run)
    if found.output_removed_at:
        complain(f"of this output only the end was kept when it was tidied away on {found.output_removed_at:%Y-%m-%d}.")
    copying = Copying(found)
    with Signals() as signals:
        try:
            with signals.raising():
                _copy(copying, found, follow)
        except Signalled as signalled:
            copying.mute()
            raise typer.Exit(signalled.status) from signalled
        except OutputGone as error:
            copying.mute()
            raise typer.Exit(141) from error


def kill(run: RunArgument) -> None:
    """End a run that still goes on, and everything that it started."""
    found = find_run(run)
    if found.state not in (RunState.RUNNING, RunState.KILL_FAILED, RunState.CONNECTION_LOST, RunState.INTERRUPTED):
        typer.echo(f"{short_id(found)}: {_state(found)} already")
        return
    done = kill_command(run=found, actor=actor())
    if done.state in (RunState.RUNNING, RunState.KILL_FAILED):
        raise typer.Exit(complain(done.message or "the command has not ended yet; ask again, or restart the container.", REFUSED))
    typer.echo(f"{short_id(done)}: {_state(done)}")


def _copy(copying: Copying, run: CommandRun, follow: bool) -> None:
    while True:
        live = follow and spool.is_live(run)  # asked first, so that nothing written before the end is missed
        if copying.step():
            continue
        if not live:
            return
        time.sleep(FOLLOW_SECONDS)


def _state(run: CommandRun) -> str:
    code = f" ({run.exit_code})" if run.exit_code is not None else ""
    return f"{run.state.replace('_', ' ')}{code}"


def _cells(run: CommandRun) -> list[object]:
    line = " ".join(run.command.split())
    shown = line if len(line) <= COMMAND_SHOWN else line[: COMMAND_SHOWN - 1] + "…"
    seconds = "-" if run.duration_seconds is None else f"{run.duration_seconds:.1f}"
    return [short_id(run), run.project.slug, _state(run), f"{span(run.started_at)} ago", seconds, run.actor_name, shown]


def _json(run: CommandRun) -> dict[str, Any]:
    return {
        "id": str(run.id),
        "project": run.project.slug,
        "command": run.command,
        "workdir": run.workdir,
        "purpose": run.purpose,
        "state": run.state,
        "exit_code": run.exit_code,
        "message": run.message,
        "output_bytes": run.output_bytes,
        "actor": run.actor_name,
        "started_at": run.started_at.isoformat(),
        "finished_at": run.finished_at.isoformat() if run.finished_at else None,
        "duration_seconds": run.duration_seconds,
    }
