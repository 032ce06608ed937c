"""A project from the address of a git repository: cloned in a throw-away container, never by the host.

The clone grows in a directory beside its place, under a name of our own, which no other container ever has; only when it is
whole it is renamed into its place. So whatever fails leaves nothing half made, and only that directory is ever removed.
"""

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from projects.engine.base import Engine, ExecSpec, Mount
from projects.models import Project
from projects.services import throwaway
from projects.services.catalog import create_project, make_slug
from projects.services.credentials import lent_for_a_while
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Unready
from projects.services.git_credentials import DEFAULT_USERNAME, set_git_credential
from projects.services.git_url import GitUrl, checked_git_url
from projects.services.instance import instance_id
from projects.services.masking import mask_text
from projects.services.record import Actor
from projects.services.safe_files import directory, remove_tree
from projects.services.spec import WORKSPACE, hub_labels, network_name
from projects.services.variants import ensure_variant
from projects.services.workspace import Owner, checked_new_path
from projects.states import Stream

PURPOSE = "clone"
GROWING = ".hub-clone-"
TAIL_BYTES = 4000
LOGIN_SIGNS = ("could not read Username", "could not read Password", "Authentication failed", "Permission denied", "error: 403")
OnOutput = Callable[[bytes], None]
# What git may speak, whatever the repository or a lent configuration says.
GIT = ("git", "-c", "protocol.allow=never", "-c", "protocol.https.allow=always", "-c", "protocol.ssh.allow=always")
HELPER = '!f() { [ "$1" != get ] || printf "username=%s\\npassword=%s\\n" "$CLONE_USERNAME" "$CLONE_TOKEN"; }; f'


@dataclass(frozen=True)
class _Order:
    """What to clone, for whom, and with what; checked."""

    source: GitUrl
    owner: Owner
    token: str
    lend: bool
    on_output: OnOutput | None
    stop: Callable[[], bool] | None


def clone_project(
    *,
    actor: Actor,
    url: str,
    name: str = "",
    path: str = "",
    token: str = "",
    owner: Owner,
    on_output: OnOutput | None = None,
    stop: Callable[[], bool] | None = None,
    **fields: Any,
) -> Project:
    """Clone the repository and make a project of it that belongs to `owner` (a hub that is not root: to its own user).

    `path` is below the first workspace root by default. `token` is for an https host and becomes the project's git token for
    it; `fields` as for `create_project`. `on_output` gets git's own words as they come; once `stop` answers true, it is given
    up. Raises BadInput, Forbidden, Busy, ImageMissing, Unready when git fails or is given up, what an Engine raises.
    """
    source = checked_git_url(url)
    demand_fitting_token(source, token)
    owner = owner_of_clones(owner)
    title = name or source.name
    place = place_for(title, path, owner=owner)
    engine = current_engine()
    if not engine.info().is_local:
        raise Unready("The Engine is on another host, so nothing can be cloned from here; clone it there, then add it.")
    order = _Order(source, owner, token, bool(fields.get("uses_host_credentials", True)), on_output, stop)
    growing = f"{GROWING}{secrets.token_hex(8)}"
    with directory(place.parent) as parent:
        try:
            os.mkdir(growing, 0o755, dir_fd=parent)
            os.chown(growing, owner.uid, owner.gid, dir_fd=parent, follow_symlinks=False)
            _clone(engine, order, place.with_name(growing))
            with _in_place(growing, place, parent):
                project = create_project(actor=actor, name=title, path=str(place), cloned_from=source.text, **fields)
        finally:
            remove_tree(growing, dir_fd=parent)
    if token:
        set_git_credential(project=project, host=source.host, token=token, actor=actor)
    return project


def demand_fitting_token(source: GitUrl, token: str) -> None:
    """Raises BadInput."""
    if token and source.scheme != "https":
        raise BadInput("A git token is for https addresses; an ssh address needs a key.")


def owner_of_clones(owner: Owner) -> Owner:
    """A hub that is not root can give them to its own user only."""
    return owner if os.geteuid() == 0 else Owner(os.geteuid(), os.getegid())


def place_for(title: str, path: str, *, owner: Owner) -> Path:
    """Where the clone is to stand: `path`, or below the first workspace root. Raises BadInput."""
    wanted = path or str(settings.CONTAINERHUB.workspace_roots[0].absolute() / make_slug(title))
    return Path(checked_new_path(wanted, owner=owner))


def _clone(engine: Engine, order: _Order, growing: Path) -> None:
    image = ensure_variant(engine, settings.CONTAINERHUB.base_image, order.owner.uid, order.owner.gid)
    network = network_name(settings.CONTAINERHUB)
    engine.networks.ensure(network, labels=hub_labels(instance_id()))
    with ExitStack() as stack:
        lent = stack.enter_context(lent_for_a_while(uid=order.owner.uid, gid=order.owner.gid)) if order.lend else ()
        mounts = (Mount(str(growing), WORKSPACE), *lent)
        what = make_slug(order.source.name)
        docker_id = stack.enter_context(throwaway.container_for(PURPOSE, what, image=image, mounts=mounts, network=network))
        _run(engine, docker_id, order)


def _run(engine: Engine, docker_id: str, order: _Order) -> None:
    said = bytearray()

    def take(_stream: Stream, data: memoryview) -> None:
        said.extend(data)
        del said[:-TAIL_BYTES]
        if order.on_output:
            order.on_output(bytes(data))

    command = (*GIT, "clone", "--progress", "--", order.source.text, WORKSPACE)
    spec = ExecSpec(command=command, environment=_environment(order.source, order.token, lend=order.lend))
    outcome = engine.execs.run(docker_id, spec, sink=take, timeout_seconds=throwaway.TIMEOUT_SECONDS - 60, stop=order.stop)
    if outcome.stopped:
        raise Unready(f"Cloning {order.source.text} was interrupted; nothing of it is left.")
    if outcome.timed_out:
        raise Unready(f"Cloning {order.source.text} took longer than an hour and was given up; nothing of it is left.")
    if outcome.exit_code != 0:
        raise Unready(_failure(order.source, mask_text(said.decode(errors="replace"), [order.token.encode()] if order.token else [])))


def _environment(source: GitUrl, token: str, *, lend: bool) -> Mapping[str, str]:
    """The token stands in no configuration and no command line, and answers for its own host only."""
    found = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes", "LANG": "C.UTF-8"}
    if token:
        return {
            **found,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": f"credential.https://{source.host}.helper",
            "GIT_CONFIG_VALUE_0": HELPER,
            "CLONE_USERNAME": DEFAULT_USERNAME,
            "CLONE_TOKEN": token,
        }
    if lend and settings.CONTAINERHUB.github_token:
        return {**found, "GIT_ASKPASS": "/usr/local/bin/git-askpass-helper", "GITHUB_TOKEN": settings.CONTAINERHUB.github_token}
    return found


def _failure(source: GitUrl, said: str) -> str:
    lines = [line.strip() for line in said.replace("\r", "\n").splitlines() if line.strip()]
    fatal = [line for line in lines if line.startswith(("fatal:", "error:"))] or lines[-1:]
    words = "".join(letter for letter in " ".join(fatal) if letter.isprintable())[:300] or "it said nothing"
    remedy = (
        "store a git token (hub clone --token), or lend a key that may read it"
        if any(sign in said for sign in LOGIN_SIGNS)
        else "see that the address is right and can be reached from here"
    )
    return f"git could not clone {source.text} ({words}); nothing of it is left: {remedy}, then try again."


@contextmanager
def _in_place(growing: str, place: Path, parent: int) -> Iterator[None]:
    """The clone under its final name. Where the block raises, it goes back to the name under which it is removed."""
    taken = f"The path {place} was taken meanwhile; choose another."
    try:
        os.mkdir(place.name, 0o700, dir_fd=parent)  # refuses a name that is taken; the rename replaces this empty one at once
        os.rename(growing, place.name, src_dir_fd=parent, dst_dir_fd=parent)
    except OSError as error:
        raise BadInput(taken) from error
    try:
        yield
    except BaseException:
        if not Project.objects.filter(path=str(place)).exists():
            os.rename(place.name, growing, src_dir_fd=parent, dst_dir_fd=parent)
        raise
