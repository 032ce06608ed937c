"""`hub completion`: the script that has a shell complete commands, options and names."""

from enum import StrEnum
from typing import Annotated

import typer
from typer.completion import get_completion_script  # type: ignore[attr-defined]  # theirs, though they export it for nobody


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(shell: Annotated[Shell, typer.Argument(help="Which shell it is for.", show_default=False)]) -> None:
    """Print a shell's completion script: commands, options, projects, runs and users complete.

    For this shell only: source <(hub completion bash). For good: hub --install-completion.
    """
    typer.echo(get_completion_script(prog_name="hub", complete_var="_HUB_COMPLETE", shell=shell.value))
