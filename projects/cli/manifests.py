"""`hub diff`: what a refresh of a container would take away."""

from dataclasses import asdict

import typer

from projects.cli.frame import JsonOption, ProjectArgument, print_json, printable, project_named
from projects.services import manifests
from projects.services.manifests import ManifestView


def diff(project: ProjectArgument, as_json: JsonOption = False) -> None:
    """Show what a refresh would take away.

    Packages of apt, pip and npm that came since the image, and files outside of the workspace.
    """
    view = manifests.look(project=project_named(project))
    if as_json:
        print_json(_as_json(view))
        return
    typer.echo(printable(view.sentence))
    if view.contents is None:
        return
    for installer, found in (("apt", view.contents.apt), ("pip", view.contents.pip), ("npm", view.contents.npm)):
        for name in found.names:
            typer.echo(f"{installer}  {printable(name)}")
        if found.count > len(found.names):
            typer.echo(f"{installer}  and {found.count - len(found.names)} more")
    for directory in view.contents.directories:
        typer.echo(f"{directory.files:8,}  {printable(directory.path)}")


def _as_json(view: ManifestView) -> dict[str, object]:
    return {
        "container_id": view.docker_id[:12] or None,
        "at": view.at,
        "sentence": view.sentence,
        "contents": asdict(view.contents) if view.contents else None,
        "layer_mb": view.layer_mb,
    }
