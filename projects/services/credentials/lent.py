"""Copies of the host's credentials, and the project's own git tokens and deploy key, under `<data dir>/lent/<slug>`.

They belong to the container's user (a 0600 key of root is unreadable to `claude`) and are mounted ro, so no container can
plant anything in them. The directories stay the same ones and are brought up to date in place: what is lent or taken back
arrives in a running container at once, and a stopped one still finds what it mounts.
"""

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from projects.engine.base import Mount
from projects.models import DeployKey, Project, ProjectSecret
from projects.services.credentials import claude_config, gitconfig
from projects.services.safe_files import (
    DIRECTORY_FLAGS,
    NotRegular,
    directory,
    is_directory,
    locked,
    make_directory,
    own_directory,
    read_regular,
    remove_leftovers,
    remove_tree,
    sync_files,
    write_file,
)

GIT_TARGET = "/run/containerhub-lent/git"
DEPLOY_KEY = "_deploy-key"
"""Beside the tokens, under a name that no host can have; docker/etc/ssh.conf leads ssh to it."""
SSH_TARGET = "/home/claude/.ssh"
GITCONFIG_TARGET = "/home/claude/.gitconfig"
GITHUB = "github.com"
MASKED_MIN_CHARACTERS = 6
FOR_A_WHILE = ".clone-"


@dataclass(frozen=True)
class HostFiles:
    """What the host has to lend: `ssh` and `gitconfig` are None where it has none, or may lend none."""

    ssh: dict[str, bytes] | None
    gitconfig: bytes | None
    notes: tuple[str, ...]


def store() -> Path:
    return settings.CONTAINERHUB.data_dir.resolve() / "lent"


def keep_lent(project: Project, *, uid: int, gid: int) -> tuple[tuple[Mount, ...], tuple[str, ...]]:
    """Bring the project's lent files up to date; the mounts of the next container, and what was left out."""
    host = _host_files(project)
    place = store() / project.slug
    with locked(store() / ".lock"), own_directory(store()) as top:
        make_directory(project.slug, dir_fd=top, mode=0o700)
        with directory(project.slug, dir_fd=top) as inner:
            remove_leftovers(dir_fd=inner)
            _write(project, host, inner, uid=uid, gid=gid)
    mounts = [Mount(str(place / "git"), GIT_TARGET, read_only=True)]
    if host.ssh is not None:
        mounts.append(Mount(str(place / "ssh"), SSH_TARGET, read_only=True))
    if host.gitconfig is not None:
        mounts.append(Mount(str(place / "gitconfig"), GITCONFIG_TARGET, read_only=True))
    return tuple(mounts), host.notes


@contextmanager
def lent_for_a_while(*, uid: int, gid: int) -> Iterator[tuple[Mount, ...]]:
    """The host's SSH keys and git configuration, as mounts for a clone before there is a project; gone afterwards."""
    name = f"{FOR_A_WHILE}{secrets.token_hex(8)}"  # no slug begins with a dot
    host = _host_files(Project(slug=name, uses_host_credentials=True))
    with own_directory(store()) as top:
        with locked(store() / ".lock"):
            _remove_abandoned(top)
            make_directory(name, dir_fd=top, mode=0o700)
            inner = os.open(name, DIRECTORY_FLAGS, dir_fd=top)
            fcntl.flock(inner, fcntl.LOCK_EX)
        try:
            yield tuple(_write_once(host, inner, store() / name, uid=uid, gid=gid))
        finally:
            os.close(inner)
            remove_tree(name, dir_fd=top)


def _remove_abandoned(top: int) -> None:
    """What a killed hub lent for a while: nobody holds its lock. The caller holds the store's."""
    for name in os.listdir(top):
        if name.startswith(FOR_A_WHILE):
            with suppress(OSError), directory(name, dir_fd=top) as inner:
                fcntl.flock(inner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove_tree(name, dir_fd=top)


def _write_once(host: HostFiles, inner: int, place: Path, *, uid: int, gid: int) -> Iterator[Mount]:
    if host.ssh is not None:
        _sync(host.ssh, "ssh", inner, mode=0o600, uid=uid, gid=gid)
        yield Mount(str(place / "ssh"), SSH_TARGET, read_only=True)
    if host.gitconfig is not None:
        write_file("gitconfig", host.gitconfig, dir_fd=inner, mode=0o444, uid=uid, gid=gid)
        yield Mount(str(place / "gitconfig"), GITCONFIG_TARGET, read_only=True)


def update_lent(project: Project) -> None:
    """Bring lent files up to date at once, where a container has them already: after a change of tokens or of the switch."""
    try:
        found = os.lstat(store() / project.slug / "git")
    except FileNotFoundError:
        return
    keep_lent(project, uid=found.st_uid, gid=found.st_gid)


def remove_lent(slug: str) -> None:
    """Quiet when there is none."""
    if store().is_dir():
        with locked(store() / ".lock"), directory(store()) as top:
            remove_tree(slug, dir_fd=top)


def exec_environment(project: Project) -> dict[str, str]:
    """The secrets that each exec gets in its environment: the project's own, and GITHUB_TOKEN.

    A secret named GITHUB_TOKEN goes before the project's token for github.com, and that one before the lent one.
    """
    tokens = {host: token for host, _username, token in _git_logins(project)}
    return {**({"GITHUB_TOKEN": tokens[GITHUB]} if GITHUB in tokens else {}), **_secrets(project)}


def secret_values(project: Project) -> list[str]:
    """Every secret that stored output must not show, longest first, in the forms in which programs print them."""
    found = {token for _host, _username, token in _git_logins(project)}
    found |= {_base64(f"{username}:{token}") for _host, username, token in _git_logins(project)}
    for value in _secrets(project).values():
        found |= {value, _base64(value), *value.splitlines()}
    found |= {line for line in _deploy_key(project).splitlines() if not line.startswith("-----")}
    if project.uses_host_credentials:
        found |= set(claude_config.host_secrets())
    return sorted((secret for secret in found if len(secret) >= MASKED_MIN_CHARACTERS), key=lambda secret: (-len(secret), secret))


def git_file_name(host: str) -> str:
    """The name under which the askpass helper looks for a host's login."""
    return host.replace(":", "_")


# -- what there is to lend ------------------------------------------------------------------


def _git_logins(project: Project) -> list[tuple[str, str, str]]:
    """(host, username, token), one for each host."""
    logins = [(row.host, row.username, row.token) for row in project.git_credentials.all()]
    token = settings.CONTAINERHUB.github_token
    if project.uses_host_credentials and token and GITHUB not in [host for host, _username, _token in logins]:
        logins.append((GITHUB, "x-access-token", token))
    return logins


def _secrets(project: Project) -> dict[str, str]:
    return dict(ProjectSecret.objects.filter(project=project).values_list("name", "value"))


def _deploy_key(project: Project) -> str:
    """Empty where there is none."""
    return DeployKey.objects.filter(project=project).values_list("private_key", flat=True).first() or ""


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _host_files(project: Project) -> HostFiles:
    if not project.uses_host_credentials:
        return HostFiles(None, None, ())
    ssh, ssh_notes = _ssh()
    config, config_notes = _gitconfig()
    return HostFiles(ssh, config, (*ssh_notes, *config_notes))


def _ssh() -> tuple[dict[str, bytes] | None, list[str]]:
    place = Path.home() / ".ssh"
    files: dict[str, bytes] = {}
    left_out = []
    try:
        with directory(place) as descriptor:
            for name in sorted(os.listdir(descriptor)):
                try:
                    content = read_regular(name, dir_fd=descriptor)
                except (NotRegular, PermissionError):
                    left_out.append(name)
                else:
                    if content is not None:
                        files[name] = content
    except FileNotFoundError:
        return None, ["The host has no ~/.ssh, so no SSH key is lent."]
    except OSError as error:
        return None, [f"The host's ~/.ssh is no directory that the hub can read ({error.strerror}), so no SSH key is lent."]
    notes = [f"Of the host's ~/.ssh these were left out, because they are no plain files: {', '.join(left_out)}."] if left_out else []
    return (files, notes) if files else (None, [*notes, "The host's ~/.ssh holds no file, so no SSH key is lent."])


def _gitconfig() -> tuple[bytes | None, list[str]]:
    place = Path.home() / ".gitconfig"
    try:
        content = read_regular(place)
    except (NotRegular, PermissionError):
        return None, ["The host's ~/.gitconfig is no plain file that the hub can read, so it was left out."]
    if content is None:
        return None, ["The host has no ~/.gitconfig, so none is lent."]
    try:
        text, left_out = gitconfig.without_credentials(content.decode(errors="surrogateescape"))
    except gitconfig.Malformed:
        return None, ["The host's ~/.gitconfig is not well formed, so it was left out; `git config --list` says where."]
    note = f"Of the host's ~/.gitconfig these sections were left out: {', '.join(left_out)}."
    return text.encode(errors="surrogateescape"), [note] if left_out else []


# -- writing --------------------------------------------------------------------------------


def _write(project: Project, host: HostFiles, inner: int, *, uid: int, gid: int) -> None:
    logins = {git_file_name(name): f"{user}\n{token}\n".encode() for name, user, token in _git_logins(project)}
    key = _deploy_key(project)
    _sync({**logins, **({DEPLOY_KEY: key.encode()} if key else {})}, "git", inner, mode=0o400, uid=uid, gid=gid)
    # What is no more lent stays as an empty directory or file: a stopped container that mounts it must still start.
    if host.ssh is not None or is_directory("ssh", dir_fd=inner):
        _sync(host.ssh or {}, "ssh", inner, mode=0o600, uid=uid, gid=gid)
    if host.gitconfig is not None or read_regular("gitconfig", dir_fd=inner) is not None:
        write_file("gitconfig", host.gitconfig or b"", dir_fd=inner, mode=0o444, uid=uid, gid=gid)


def _sync(files: dict[str, bytes], name: str, inner: int, *, mode: int, uid: int, gid: int) -> None:
    make_directory(name, dir_fd=inner, mode=0o700, uid=uid, gid=gid)
    with directory(name, dir_fd=inner) as descriptor:
        sync_files(files, dir_fd=descriptor, mode=mode, uid=uid, gid=gid)
