"""`hub build images`: what containers are made from."""

from dataclasses import asdict
from typing import Annotated

import typer

from projects.cli.frame import REFUSED, JsonOption, actor, complain, print_json, print_table
from projects.cli.progress import BuildSteps
from projects.cli.times import size, span
from projects.services.image_list import HubImage, list_images
from projects.services.images import build_image
from projects.states import BuildState

SHOWN_DIGITS = 12


def build(
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Every step anew.")] = False,
) -> None:
    """Build the base image, with progress.

    Containers get it at their next refresh.
    """
    with BuildSteps("Building the base image") as steps:
        done = build_image(actor=actor(), no_cache=no_cache, on_progress=steps)
    if done.state != BuildState.FINISHED:
        raise typer.Exit(complain(done.message, REFUSED))
    typer.echo(f"{done.tag} {done.image_id}")


def images(
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Ids only, one a line.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the base image and its variants, one for each owner of workspaces."""
    found = list_images()
    if as_json:
        print_json([asdict(image) for image in found])
    elif quiet:
        for image in found:
            typer.echo(_short(image.image_id))
    else:
        print_table(["IMAGE", "ID", "AGE", "SIZE", "CLAUDE", "VARIANT OF"], [_cells(image) for image in found], numbers=["SIZE"])


def _cells(image: HubImage) -> list[object]:
    tags, variant_of = ", ".join(image.tags), _short(image.variant_of)
    return [tags or "-", _short(image.image_id), span(image.created_at), size(image.size_bytes), image.claude or "-", variant_of or "-"]


def _short(image_id: str) -> str:
    return image_id.removeprefix("sha256:")[:SHOWN_DIGITS]
