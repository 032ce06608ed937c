"""A secret that the caller gives: typed where nobody sees it, or from stdin; never on the command line, where `ps` shows it."""

import sys

import typer

from projects.services.errors import BadInput

MOST_CHARACTERS = 100_000


def read_secret(prompt: str, *, twice: bool = False) -> str:
    """Asked for on a terminal; all of stdin, without its last line break, where it is none. Raises BadInput when empty."""
    if sys.stdin.isatty():
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=twice, err=True))
    try:
        found = sys.stdin.read(MOST_CHARACTERS + 1)
    except UnicodeDecodeError as error:
        raise BadInput(f"The {prompt.lower()} on stdin is no text; give it as UTF-8.") from error
    value = found.removesuffix("\n").removesuffix("\r")
    if not value:
        raise BadInput(f"The {prompt.lower()} is missing; give it on stdin, or run this in a terminal and type it.")
    return value
