"""Which addresses of git repositories may be cloned: https and ssh, without credentials, and nothing that runs a program."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from projects.services.errors import BadInput

MOST_CHARACTERS = 2000
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_SCP_LIKE = re.compile(r"(?P<user>[^@:/]+)@(?P<host>[^@:/]+):(?P<path>.+)")
EXAMPLE = "write it like https://github.com/team/site.git or git@github.com:team/site.git"


@dataclass(frozen=True)
class GitUrl:
    """`host` is as git names it in its prompt (with a port that is not the scheme's own); `name` the repository's own."""

    text: str
    scheme: str
    host: str
    name: str


def checked_git_url(text: str) -> GitUrl:
    """Raises BadInput."""
    if not isinstance(text, str) or not text or len(text) > MOST_CHARACTERS or not text.isprintable() or " " in text:
        raise BadInput(f"That is no address of a git repository; {EXAMPLE}.")
    if text.startswith("-") or "::" in text or "\\" in text:
        raise BadInput(f"Such an address could make git run a program; {EXAMPLE}.")
    found = _SCP_LIKE.fullmatch(text) if "://" not in text else None
    if found:
        return _scp_like(text, found["user"], found["host"], found["path"])
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise BadInput(f"The address {text[:200]} is malformed; {EXAMPLE}.") from error
    if parts.scheme not in ("https", "ssh"):
        raise BadInput(f"Only https and ssh addresses are cloned; {EXAMPLE}.")
    return _url(text, parts, port)


def _url(text: str, parts: SplitResult, port: int | None) -> GitUrl:
    if parts.password is not None or (parts.scheme == "https" and parts.username is not None):
        raise BadInput(
            "The address has credentials in it, which would be kept in the repository's configuration; leave them out and store "
            "a git token instead (hub clone --token, or hub git-token set)."
        )
    if parts.query or parts.fragment or not _HOST.fullmatch(parts.hostname or ""):
        raise BadInput(f"The address {text[:200]} names no host, or more than a repository; {EXAMPLE}.")
    if parts.username is not None and not _USER.fullmatch(parts.username):
        raise BadInput(f"The user in the address {text[:200]} is no plain name; {EXAMPLE}.")
    usual = {"https": 443, "ssh": 22}[parts.scheme]
    host = (parts.hostname or "").lower()
    return GitUrl(text, parts.scheme, host if port in (None, usual) else f"{host}:{port}", _name(text, parts.path))


def _scp_like(text: str, user: str, host: str, path: str) -> GitUrl:
    if not _USER.fullmatch(user) or not _HOST.fullmatch(host) or path.startswith("-"):
        raise BadInput(f"The address {text[:200]} is malformed; {EXAMPLE}.")
    return GitUrl(text, "ssh", host.lower(), _name(text, path))


def _name(text: str, path: str) -> str:
    name = path.rstrip("/").rpartition("/")[2].removesuffix(".git")
    if not name or name.startswith("-"):
        raise BadInput(f"The address {text[:200]} names no repository; {EXAMPLE}.")
    return name
