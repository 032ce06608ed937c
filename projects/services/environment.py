"""A project's plain variables: which names and values may stand readable in a container's configuration."""

import re
from collections.abc import Mapping

from projects.engine.base import MARKER_VARIABLE
from projects.services.errors import BadInput
from projects.services.spec import RESERVED_VARIABLES

VARIABLES_LIMIT = 200
VALUE_LENGTH = 8192
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_SECRET_ENDINGS = ("TOKEN", "SECRET", "PASSWORD", "PASSWD", "PASSPHRASE", "CREDENTIAL", "KEY")
_SECRET_PARTS = frozenset({"PASS", "PWD", "PAT"})


def promises_secret(name: str) -> bool:
    """Whether one of the name's parts is (or ends in) a word for a secret: API_KEY, GITHUBTOKEN, but not TOKENIZERS_PARALLELISM."""
    parts = name.upper().split("_")
    if name.upper() == "PWD":
        return False
    return any(part in _SECRET_PARTS or part.removesuffix("S").endswith(_SECRET_ENDINGS) for part in parts)


def checked_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables, if all of them may stand in a container's configuration. Raises BadInput."""
    if len(environment) > VARIABLES_LIMIT:
        raise BadInput(f"A project has at most {VARIABLES_LIMIT} variables; put the rest into a file in the workspace.")
    for name, value in environment.items():
        shown = str(name)[:100]
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise BadInput(f"The variable name {shown!r} cannot be used; take up to 100 letters, digits and underscores, no digit first.")
        if name in RESERVED_VARIABLES or name == MARKER_VARIABLE:
            raise BadInput(f"The variable {name} is set by the hub itself; choose another name.")
        if promises_secret(name):
            raise BadInput(
                f"The variable {name} promises a secret, and everyone who can inspect the container reads plain variables: "
                "keep it among the project's secrets (a git server's token: among its git credentials)."
            )
        if not isinstance(value, str) or len(value) > VALUE_LENGTH or "\0" in value:
            raise BadInput(f"The value of {name} must be text of at most {VALUE_LENGTH} characters, without a NUL.")
    return dict(environment)
