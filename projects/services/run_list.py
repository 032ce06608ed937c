"""Command runs to look at: a project's or all, and one by its id or the beginning of it."""

import re
from uuid import UUID

from projects.models import CommandRun, Project
from projects.services.errors import BadInput, NotFound

SHORT = 12
_ID = re.compile(r"[0-9a-f]{1,32}")


def short_id(run: CommandRun) -> str:
    """The first 12 digits, as Docker shows an id."""
    return run.id.hex[:SHORT]


def list_runs(*, project: Project | None = None, limit: int | None = 50) -> list[CommandRun]:
    """The newest first."""
    runs = CommandRun.objects.select_related("project")
    found = runs.filter(project=project) if project else runs
    return list(found if limit is None else found[:limit])


def find_run(text: str) -> CommandRun:
    """The run of that id, or the only one whose id begins so. Raises NotFound, BadInput when several do."""
    digits = text.strip().lower().replace("-", "")
    shown = text if text.isprintable() else ascii(text)
    if _ID.fullmatch(digits):
        # Between the least and the greatest id that begin so: one indexed range on every database.
        between = (UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f")))
        found = list(CommandRun.objects.select_related("project").filter(id__range=between)[:2])
        if len(found) == 1:
            return found[0]
        if found:
            raise BadInput(f"Several runs begin with {shown[:40]}; give more of the id.")
    raise NotFound(f"There is no run {shown[:40]!r}; hub runs lists them.")
