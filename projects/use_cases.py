"""Every use case that a door offers, and who may: the source of docs/access.md.

`USE_CASES` gives for each name a Permission in its project, or a Standing where there is no project. Doors ask `may_use`, or the
function of `projects.access` that the rule names. Each door is held against it by a table of its own tests: a row names the use case,
and what each user of the cast gets is worked out from here by `allowed`, never written down beside it. `tests/api/test_cast.py` does
so for the API and is the model: an admin action or a `hub` command has a row there too, and a check that no row is missing.
"""

from enum import StrEnum
from typing import Any

from projects.access import NEEDED_ROLE, Permission, is_administrator, may, may_create_projects
from projects.models import Project
from projects.states import Role


class Standing(StrEnum):
    """Who one is, where no project is spoken of."""

    ADMINISTRATOR = "administrator"
    CREATE = "create"  # administrators, and people whom they allow to make projects
    OWN = "own"  # everybody signed in, about himself or his own things
    SIGNED_IN = "signed in"  # everybody signed in; a list shows each reader what he may see


Rule = Permission | Standing

USE_CASES: dict[str, Rule] = {
    # look
    "see project": Permission.VIEW,
    "see container": Permission.VIEW,
    "see what a refresh takes away": Permission.VIEW,
    "logs": Permission.VIEW,
    "stats": Permission.VIEW,
    "health": Permission.VIEW,
    "events of a project": Permission.VIEW,
    "see command and output": Permission.VIEW,
    "list members": Permission.VIEW,
    "list git credentials": Permission.VIEW,
    "see public deploy key": Permission.VIEW,
    "list names of secrets": Permission.VIEW,
    "list terminals": Permission.VIEW,
    "read terminal history": Permission.VIEW,
    # work
    "ensure": Permission.OPERATE,
    "start": Permission.OPERATE,
    "stop": Permission.OPERATE,
    "restart": Permission.OPERATE,
    "refresh": Permission.OPERATE,
    "remove container": Permission.OPERATE,
    "run command": Permission.OPERATE,
    "kill command": Permission.OPERATE,
    "terminal": Permission.OPERATE,
    # settle
    "settings": Permission.CONFIGURE,
    "members": Permission.CONFIGURE,
    "git credentials": Permission.CONFIGURE,
    "deploy key": Permission.CONFIGURE,
    "secrets": Permission.CONFIGURE,
    "notification channels": Permission.CONFIGURE,
    "remove project": Permission.CONFIGURE,
    "lend host credentials": Permission.ADMINISTER,
    "change owner of the workspace": Permission.ADMINISTER,
    # the hub
    "list projects": Standing.SIGNED_IN,
    "list events": Standing.SIGNED_IN,
    "list images": Standing.SIGNED_IN,
    "list notification channels": Standing.SIGNED_IN,
    "count containers": Standing.SIGNED_IN,
    "who am I": Standing.OWN,
    "own tokens": Standing.OWN,
    "own sessions": Standing.OWN,
    "make project": Standing.CREATE,
    "clone project": Standing.CREATE,
    "own clones": Standing.OWN,
    "discover": Standing.CREATE,
    "build image": Standing.ADMINISTRATOR,
    "see builds": Standing.ADMINISTRATOR,
    "cleanup": Standing.ADMINISTRATOR,
    "settle drift": Standing.ADMINISTRATOR,
    "doctor": Standing.ADMINISTRATOR,
    "everybody's tokens": Standing.ADMINISTRATOR,
    "users": Standing.ADMINISTRATOR,
    "invitations": Standing.ADMINISTRATOR,
    "notification channels of the hub": Standing.ADMINISTRATOR,
    "signs of life of the hub": Standing.ADMINISTRATOR,
}

CAST = ("administrator", "owner", "operator", "viewer", "stranger", "nobody")
YES, REFUSED, NOT_FOUND, SIGN_IN = "yes", "refused", "not found", "sign in"

_HEAD = """\
# Who may do what

Written by `python manage.py access_table` from `projects/use_cases.py` and `projects/access.py`; a test holds it against them, and
the tests of each door hold the door against it. Change it there.

*yes*: may. *refused*: knows that it is there, and is told what is missing (403). *not found*: cannot tell it from what does not exist
(404). *sign in*: is sent to sign in (401). Whoever was granted the right to make projects has it beside any role.
"""


def may_use(user: Any, name: str, project: Project | None = None) -> bool:
    """Whether the user may; a use case of a project needs one. Raises KeyError for a name that is not in USE_CASES."""
    rule = USE_CASES[name]
    if isinstance(rule, Permission):
        return project is not None and may(user, rule, project)
    if rule is Standing.ADMINISTRATOR:
        return is_administrator(user)
    if rule is Standing.CREATE:
        return may_create_projects(user)
    return bool(user.is_authenticated and user.is_active)


def allowed(name: str, who: str) -> str:
    """What a door answers one of CAST: YES, REFUSED, NOT_FOUND or SIGN_IN."""
    rule = USE_CASES[name]
    if who == "nobody":
        return SIGN_IN
    if who == "administrator" or rule in (Standing.OWN, Standing.SIGNED_IN):
        return YES
    if isinstance(rule, Standing):
        return REFUSED
    if who == "stranger":
        return NOT_FOUND
    needed = NEEDED_ROLE.get(rule)
    return YES if needed is not None and Role(who).rank >= needed.rank else REFUSED


def access_table() -> str:
    """docs/access.md."""
    lines = [f"| | {' | '.join(CAST)} |", "|---" * (len(CAST) + 1) + "|"]
    lines += [f"| {name} | {' | '.join(allowed(name, who) for who in CAST)} |" for name in USE_CASES]
    return _HEAD + "\n" + "\n".join(lines) + "\n"
