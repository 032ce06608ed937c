"""A project's own Claude config directory, filled before a container first has it and never touched by the host after.

`<data dir>/claude-config/<slug>` belongs to the container's user. What has to be done in it later (another owner, the
host's login lent or taken back) is done in a throw-away container, since an agent may have left links in it.
"""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from projects.engine.base import Mount
from projects.models import Project
from projects.services.errors import Unready
from projects.services.safe_files import (
    NotRegular,
    directory,
    is_directory,
    locked,
    make_directory,
    own_directory,
    read_regular,
    remove_leftovers,
    remove_tree,
    write_file,
)
from projects.services.throwaway import run_as, run_as_root

TARGET = "/home/claude/.claude"
LENT_FILES = ("config.json", "credentials.json", ".credentials.json", "settings.json", "settings.local.json")
STATE = ".claude.json"
STATE_KEYS = ("oauthAccount", "userID", "theme", "primaryApiKey", "customApiKeyResponses", "lastOnboardingVersion")
"""What of the host's .claude.json is lent. Its list of projects and its history are not."""

_SECRET_KEYS = ("token", "apikey", "secret", "password")
_WITHDRAWN = ("config.json", "credentials.json", ".credentials.json", STATE)

_ADD = 'cd /fresh && for f in .[!.]* *; do [ -f "$f" ] && [ ! -e "/config/$f" ] && cp "$f" "/config/$f"; done; true'
_TAKE_BACK = f"cd /config && rm -rf -- {' '.join(_WITHDRAWN)} && {_ADD}"


@dataclass(frozen=True)
class ConfigAnswer:
    path: Path
    notes: tuple[str, ...]


def store() -> Path:
    return settings.CONTAINERHUB.data_dir.resolve() / "claude-config"


def config_directory(slug: str) -> Path:
    return store() / slug


def kept_config(project: Project, *, uid: int, gid: int) -> ConfigAnswer:
    """The project's config directory, made if need be, owned by `uid` and `gid`, with the host's login as far as it is lent.

    Raises Unready, and what an Engine raises where an existing directory has to be changed (in a container).
    """
    slug = project.slug
    with locked(store() / ".lock"), own_directory(store()) as place:
        remove_leftovers(dir_fd=place)
        files, notes = _files(project)
        if is_directory(slug, dir_fd=place):
            fresh = ""
        else:
            fresh = _fill(files, place, uid=uid, gid=gid)
            remove_tree(slug, dir_fd=place)
            os.rename(fresh, slug, src_dir_fd=place, dst_dir_fd=place)
            _remember(project, place)
        found = os.lstat(slug, dir_fd=place)
    if not fresh:
        notes += _bring_up_to_date(project, owner=(found.st_uid, found.st_gid), uid=uid, gid=gid)
    return ConfigAnswer(config_directory(slug), tuple(notes))


def remove_config(slug: str) -> None:
    """Remove the project's config directory, and no target of a link in it. Its container is gone already."""
    if not store().is_dir():
        return
    with locked(store() / ".lock"), directory(store()) as place:
        for name in (f".lent-{slug}", f".stage-{slug}"):
            remove_tree(name, dir_fd=place)
        try:
            remove_tree(slug, dir_fd=place)
        except OSError as error:
            raise Unready(
                f"The Claude config directory of {slug} could not be removed whole ({error.strerror}): an administrator removes "
                f"the rest in {store()} by hand."
            ) from error


def host_secrets() -> list[str]:
    """The tokens in the host's Claude login, to mask them in what is stored."""
    return [secret for content in _host_files()[0].values() for secret in _secrets_in(_parsed(content))]


# -- filling --------------------------------------------------------------------------------


def _files(project: Project) -> tuple[dict[str, bytes], list[str]]:
    files, notes = _host_files() if project.uses_host_credentials else ({}, [])
    state = _parsed(files.pop(STATE, b"{}"))
    kept = {key: state[key] for key in STATE_KEYS if key in state} if isinstance(state, dict) else {}
    files[STATE] = json.dumps({"theme": "dark", **kept, "hasCompletedOnboarding": True}, indent=2).encode()
    return files, notes


def _host_files() -> tuple[dict[str, bytes], list[str]]:
    host = settings.CONTAINERHUB.claude_config_path
    places = {name: (host / name,) for name in LENT_FILES} | {STATE: (host / STATE, host.parent / STATE)}
    files: dict[str, bytes] = {}
    notes: list[str] = []
    for name, candidates in places.items():
        for place in candidates:
            try:
                content = read_regular(place)
            except (NotRegular, OSError):
                notes.append(f"The host's {place} was left out, because it is no plain file that the hub can read.")
                continue
            if content is not None:
                files[name] = content
                break
    return files, notes


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return None


def _secrets_in(value: Any, named: str = "") -> list[str]:
    if isinstance(value, dict):
        return [secret for key, inner in value.items() for secret in _secrets_in(inner, str(key).lower())]
    return [value] if isinstance(value, str) and named.endswith(_SECRET_KEYS) else []


def _fill(files: dict[str, bytes], place: int, *, uid: int, gid: int) -> str:
    """The name of a new directory with these files, owned so."""
    fresh = f".new-{secrets.token_hex(8)}"
    make_directory(fresh, dir_fd=place, mode=0o700)
    with directory(fresh, dir_fd=place) as inner:
        for name, content in files.items():
            write_file(name, content, dir_fd=inner, mode=0o600, uid=uid, gid=gid)
        os.fchown(inner, uid, gid)
    return fresh


# -- changing what a container has had ------------------------------------------------------


def _remember(project: Project, place: int) -> None:
    """Beside the directory: whether it has got the host's login."""
    if project.uses_host_credentials:
        write_file(f".lent-{project.slug}", b"", dir_fd=place, mode=0o600)
    else:
        remove_tree(f".lent-{project.slug}", dir_fd=place)


def _bring_up_to_date(project: Project, *, owner: tuple[int, int], uid: int, gid: int) -> list[str]:
    config = Mount(str(config_directory(project.slug)), "/config")
    if owner != (uid, gid):
        own = ("find", "/config", "-xdev", "-exec", "chown", "-h", f"{uid}:{gid}", "{}", "+")
        run_as_root(project=project, command=own, mounts=(config,), purpose="config")
    if (store() / f".lent-{project.slug}").exists() == project.uses_host_credentials:
        return []
    stage = f".stage-{project.slug}"
    with locked(store() / ".lock"), own_directory(store()) as place:
        remove_tree(stage, dir_fd=place)
        os.rename(_fill(_files(project)[0], place, uid=uid, gid=gid), stage, src_dir_fd=place, dst_dir_fd=place)
    # The stage is only ever mounted ro, so the host may go on handling it.
    mounts = (config, Mount(str(store() / stage), "/fresh", read_only=True))
    script = _ADD if project.uses_host_credentials else _TAKE_BACK
    run_as(project=project, user=f"{uid}:{gid}", command=("sh", "-c", script), mounts=mounts, purpose="config")
    with locked(store() / ".lock"), directory(store()) as place:
        remove_tree(stage, dir_fd=place)
        _remember(project, place)
    verb = "was put into" if project.uses_host_credentials else "was taken out of"
    return [f"The host's Claude login {verb} the project's Claude config directory."]
