"""The app's commands as they are registered, to hold tests and documentation against."""

import typer

from projects.cli.app import app


def leaves() -> dict[str, typer.core.TyperCommand]:
    """Every command that does something, by its words: `ps`, `user ls`."""
    return dict(_below(typer.main.get_command(app), ()))


def _below(group, words):
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _below(command, (*words, name))
        else:
            yield " ".join((*words, name)), command


def options(command) -> set[str]:
    return {name for param in command.params for name in (*param.opts, *param.secondary_opts) if name.startswith("-")}
