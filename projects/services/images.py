"""The base image: its builds, each with a row, a log that grows, and a lock that tells whether its builder lives.

`ensure_variant` and `remove_unused_variants` stand in `services.variants`; they are part of this module's promise.
"""

import hashlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from projects.engine.base import BuildProgress, BuildSpec
from projects.engine.errors import BuildFailed, BuildStopped, EngineError
from projects.models import ImageBuild
from projects.services.build_context import base_digest, context_directory, extra_certificates
from projects.services.engines import current_engine
from projects.services.errors import Busy, NotFound
from projects.services.filelock import FileLock
from projects.services.record import HUB, Actor, record
from projects.services.variants import LABEL_CLAUDE, LABEL_IMAGE, ensure_variant, remove_unused_variants
from projects.states import BuildState

__all__ = [
    "LABEL_CLAUDE",
    "LABEL_IMAGE",
    "LABEL_SOURCE",
    "build_image",
    "build_log",
    "cancel_build",
    "end_of_log",
    "ensure_variant",
    "mark_interrupted_builds",
    "remove_unused_variants",
    "start_build",
]

LABEL_SOURCE = "io.containerhub.source"
LOG_ANSWER_BYTES = 1024**2
CANCEL_ASKED_SECONDS = 1
OnProgress = Callable[[BuildProgress], None]

log = structlog.get_logger(__name__)


def build_image(*, actor: Actor, no_cache: bool = False, on_progress: OnProgress | None = None) -> ImageBuild:
    """Build the base image to the end. The row says how it went; a failed build is an answer, no exception.

    Raises Busy while another builds it, Unready without the folder docker/, EngineUnreachable (the row says so too).
    """
    spec = _spec(no_cache)
    build, lock = _begin(spec.tag, actor)
    try:
        _run(build, spec, actor, on_progress)
    finally:
        lock.release()
    return build


def start_build(*, actor: Actor, no_cache: bool = False) -> ImageBuild:
    """Start the build in a thread of this process, and answer its row at once. Raises Busy, Unready."""
    spec = _spec(no_cache)
    build, lock = _begin(spec.tag, actor)
    # A daemon: a web process that must end does not wait for minutes; the row is then found and marked interrupted.
    thread = threading.Thread(target=_run_in_thread, args=(build, spec, actor, lock), name=f"build-{build.pk}", daemon=True)
    try:
        thread.start()
    except BaseException:
        _end(build, actor, BuildState.INTERRUPTED, message="The build could not be started; try again.")
        lock.release()
        raise
    return ImageBuild.objects.get(pk=build.pk)


def cancel_build(*, build: ImageBuild, actor: Actor) -> None:
    """Wish for its end: whoever builds it, in whatever process, ends it within seconds. Raises NotFound when it is over."""
    with transaction.atomic():
        going_on = ImageBuild.objects.filter(pk=build.pk, state=BuildState.RUNNING)
        if not going_on.exists():
            raise NotFound("This build is over already; its log says how it went.")
        if going_on.filter(cancelled_by="").update(cancelled_by=actor.name):
            record("image.cancelling", actor=actor, message=f"The end of the build of {build.tag} was asked for.", build=build.pk)


def mark_interrupted_builds() -> int:
    """Mark the builds whose builder died, and answer how many. A build lives as long as its tag's lock is held."""
    tags = ImageBuild.objects.filter(state=BuildState.RUNNING).values_list("tag", flat=True)
    marked = 0
    for tag in list(tags):
        lock = _lock_of(tag)
        if lock.take():
            try:
                marked += _mark_dead(tag)
            finally:
                lock.release()
    return marked


def build_log(build: ImageBuild, offset: int = 0) -> bytes:
    """The log from byte `offset` on, at most 1 MiB; empty at its present end. It grows while the build goes on."""
    try:
        with _log_path(build).open("rb") as file:
            file.seek(max(0, offset))
            return file.read(LOG_ANSWER_BYTES)
    except FileNotFoundError:
        return b""


def end_of_log(build: ImageBuild, most_bytes: int) -> bytes:
    """At most so many of its last bytes."""
    try:
        size = _log_path(build).stat().st_size
    except FileNotFoundError:
        return b""
    return build_log(build, size - most_bytes)[:most_bytes]


# -- one build ------------------------------------------------------------------------------


def _spec(no_cache: bool) -> BuildSpec:
    config = settings.CONTAINERHUB
    return BuildSpec(
        context=context_directory(),
        dockerfile="base/Dockerfile",
        tag=config.base_image,
        build_args={"NODE_VERSION": config.node_version},
        labels={LABEL_IMAGE: "base", LABEL_SOURCE: base_digest()},
        files=extra_certificates(),
        no_cache=no_cache,
    )


def _begin(tag: str, actor: Actor) -> tuple[ImageBuild, FileLock]:
    """The row of a new build, and the lock that its builder holds to the end. Raises Busy."""
    lock = _lock_of(tag)
    if not lock.take():
        raise Busy(f"The image {tag} is being built already; wait for that build, its log is on the images page.")
    try:
        _mark_dead(tag)
        with transaction.atomic():
            build = ImageBuild.objects.create(tag=tag, actor_name=actor.name)
            record("image.building", actor=actor, message=f"The build of {tag} began.", build=build.pk, tag=tag)
    except BaseException:
        lock.release()
        raise
    return build, lock


def _mark_dead(tag: str) -> int:
    """With the tag's lock held: whatever is still called running is not."""
    dead = list(ImageBuild.objects.filter(tag=tag, state=BuildState.RUNNING))
    for build in dead:
        _end(build, HUB, BuildState.INTERRUPTED, message="The hub ended while it built the image; start the build again.")
    return len(dead)


def _run_in_thread(build: ImageBuild, spec: BuildSpec, actor: Actor, lock: FileLock) -> None:
    try:
        _run(build, spec, actor, None)
    except Exception:  # the row carries the sentence; here is the cause
        log.exception("image.build_broke", build=build.pk, tag=spec.tag)
    finally:
        lock.release()
        connection.close()


def _run(build: ImageBuild, spec: BuildSpec, actor: Actor, on_progress: OnProgress | None) -> None:
    path = _log_path(build)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with path.open("wb", buffering=0) as file:
            image_id = _follow(build, spec, file, on_progress)
    except BuildFailed as error:
        _end(build, actor, BuildState.FAILED, message=str(error))
    except BuildStopped:
        by = ImageBuild.objects.values_list("cancelled_by", flat=True).get(pk=build.pk)
        _end(build, actor, BuildState.CANCELLED, message=f"{by} cancelled it; its finished steps are kept for the next build.")
    except EngineError as error:
        _end(build, actor, BuildState.FAILED, message=str(error))
        raise
    except OSError as error:
        _end(
            build,
            actor,
            BuildState.FAILED,
            message=f"The build's log {path} cannot be written ({error.strerror}); make room or give the hub the directory.",
        )
        raise
    except BaseException:
        _end(build, actor, BuildState.INTERRUPTED, message="The build was ended before it was through; start it again.")
        raise
    else:
        _end(build, actor, BuildState.FINISHED, image_id=image_id)


def _follow(build: ImageBuild, spec: BuildSpec, file: BinaryIO, on_progress: OnProgress | None) -> str:
    """Read the build to its end, into its log and its row; the image's id."""
    image_id = ""
    for progress in current_engine().images.build(spec, stop=_Wish(build)):
        if progress.line:
            file.write((progress.line.rstrip("\n") + "\n").encode(errors="replace"))
        if progress.step is not None and (progress.step, progress.steps) != (build.step, build.steps):
            build.step, build.steps = progress.step, progress.steps
            build.save(update_fields=["step", "steps"])
        image_id = progress.image_id or image_id
        if on_progress is not None:
            on_progress(progress)
    return image_id


class _Wish:
    """Whether somebody asked for the build's end: one small query, at most once a second."""

    def __init__(self, build: ImageBuild) -> None:
        self._row = ImageBuild.objects.filter(pk=build.pk).exclude(cancelled_by="")
        self._next = 0.0
        self._wished = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._wished and now >= self._next:
            self._next = now + CANCEL_ASKED_SECONDS
            self._wished = self._row.exists()
        return self._wished


_VERBS = {
    BuildState.FINISHED: ("image.built", "was built"),
    BuildState.FAILED: ("image.failed", "could not be built"),
    BuildState.CANCELLED: ("image.cancelled", "was not built to the end"),
    BuildState.INTERRUPTED: ("image.interrupted", "was not built to the end"),
}


def _end(build: ImageBuild, actor: Actor, state: BuildState, *, message: str = "", image_id: str = "") -> None:
    kind, verb = _VERBS[state]
    build.state, build.message, build.image_id, build.finished_at = state, message, image_id, timezone.now()
    with transaction.atomic():
        build.save(update_fields=["state", "message", "image_id", "finished_at"])
        text = f"The image {build.tag} {verb}" + (f": {message}" if message else ".")
        record(kind, actor=actor, message=text, build=build.pk, tag=build.tag, image_id=image_id)


def _directory() -> Path:
    data_dir: Path = settings.CONTAINERHUB.data_dir
    return data_dir / "builds"


def _log_path(build: ImageBuild) -> Path:
    return _directory() / f"{build.pk}.log"


def _lock_of(tag: str) -> FileLock:
    return FileLock(_directory() / f"tag-{hashlib.sha256(tag.encode()).hexdigest()[:16]}.lock")
