"""What a project over a directory would be, looked at while its path is typed: the same rules and sentences as at its making."""

from dataclasses import dataclass

from projects.services.catalog import free_slug
from projects.services.errors import BadInput
from projects.services.workspace import checked_path, owner_of


@dataclass(frozen=True)
class Proposal:
    """`problem`: why it cannot be made. `warning`: it can, but its container cannot yet."""

    path: str
    name: str
    slug: str
    problem: str = ""
    warning: str = ""


def propose(*, path: str, name: str = "") -> Proposal:
    """Nothing is written, and the answer may be out of date at once; `create_project` checks anew."""
    try:
        resolved = checked_path(path)
        owner = owner_of(resolved)
    except BadInput as error:
        return Proposal(path, name, free_slug(name) if name else "", problem=str(error))
    except OSError as error:
        return Proposal(path, name, "", problem=f"The path {path[:200]} cannot be read ({error.strerror}); put it back, then try again.")
    title = name.strip() or resolved.rpartition("/")[2]
    warning = ""
    if owner.uid == 0:
        warning = (
            "It belongs to root, and a container never works as root: change its owner (chown on the host, or hub chown) "
            "before its container is made."
        )
    return Proposal(resolved, title, free_slug(title), warning=warning)
