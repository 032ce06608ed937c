"""The first run: what a hub needs before its first container, what of it is there, and where the rest is made."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from projects.access import is_administrator, may_create_projects
from projects.engine.errors import EngineError
from projects.services.credentials.claude_cli import find_cli
from projects.services.engines import current_engine

PING_SECONDS = 3


@dataclass(frozen=True)
class Check:
    """One thing that is needed: `remedy` is a sentence, `place` the name of the page with its button, or empty."""

    words: str
    done: bool
    remedy: str = ""
    place: str = ""
    button: str = ""


def checks(user: Any) -> list[Check]:
    """Engine, image, Claude CLI, first project, in the order in which they are needed."""
    engine, image = _engine_and_image()
    cli, why = find_cli()
    administrator = is_administrator(user)
    return [
        Check("A Docker Engine answers", engine, "Start Docker (systemctl start docker); this page goes on by itself when it answers."),
        Check(
            f"The image {settings.CONTAINERHUB.base_image} is there",
            image,
            "Build it: it takes some minutes." if administrator else "Ask an administrator to build it.",
            "images" if administrator else "",
            "Build the image",
        ),
        Check(
            "The Claude CLI is there to be shared in",
            cli is not None,
            f"{why} Containers work without it.",
        ),
        Check(
            "The first project is made",
            False,
            "Pick a git workspace of the host, or clone one."
            if may_create_projects(user)
            else "Ask the owner of a project, or an administrator, to add you to one.",
            "project-new" if may_create_projects(user) else "",
            "New project",
        ),
    ]


def _engine_and_image() -> tuple[bool, bool]:
    engine = current_engine()
    try:
        engine.ping(timeout_seconds=PING_SECONDS)
        return True, engine.images.inspect(settings.CONTAINERHUB.base_image) is not None
    except EngineError:
        return False, False  # the remedy says what to do
