"""Images: look, list, remove, and build with progress as it happens."""

import io
import re
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from docker.utils.build import exclude_paths

from projects.engine.answers import image_of
from projects.engine.base import BuildProgress, BuildSpec, ImageInfo
from projects.engine.errors import BuildFailed, ConnectionLost, NoSuchObject
from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

BUILD_SILENCE_SECONDS = 1800
"""A step that prints nothing for so long counts as hung."""
_STEP = re.compile(r"^Step (\d+)/(\d+) :")


class DockerImages:
    """`Images` of projects.engine.base."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def inspect(self, ref: str) -> ImageInfo | None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                return image_of(client.inspect_image(ref))
        except NoSuchObject:
            return None

    def list(self, *, labels: Mapping[str, str] | None = None) -> Sequence[ImageInfo]:
        client = self._connection.client()
        filters = {"label": [f"{key}={value}" for key, value in (labels or {}).items()]}
        with translated(self._connection.base_url):
            ids = dict.fromkeys(row["Id"] for row in client.images(filters=filters))
        return [info for image_id in ids if (info := self.inspect(image_id)) is not None]

    def build(self, spec: BuildSpec) -> Iterator[BuildProgress]:
        with tempfile.TemporaryFile() as context, self._connection.raw_client(timeout_seconds=BUILD_SILENCE_SECONDS) as client:
            write_context(spec, context)
            context.seek(0)
            with translated(self._connection.base_url):
                answers = client.build(
                    fileobj=context,
                    custom_context=True,
                    encoding=None,
                    dockerfile=spec.dockerfile,
                    tag=spec.tag,
                    buildargs=dict(spec.build_args),
                    labels=dict(spec.labels),
                    nocache=spec.no_cache,
                    pull=spec.pull,
                    rm=True,
                    forcerm=True,
                    decode=True,
                    timeout=BUILD_SILENCE_SECONDS,
                )
                yield from _progress(answers)

    def remove(self, ref: str) -> None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                client.remove_image(ref)
        except NoSuchObject:
            pass


def _progress(answers: Iterator[Mapping[str, Any]]) -> Iterator[BuildProgress]:
    step = steps = None
    image_id = line = ""
    for answer in answers:
        if "error" in answer:
            at = f"step {step} of {steps}: " if step else ""
            raise BuildFailed(f"The build failed at {at}{' '.join(str(answer['error']).split())}")
        image_id = (answer.get("aux") or {}).get("ID") or image_id
        text = answer.get("stream") or answer.get("status") or ""
        for line in text.splitlines():
            if found := _STEP.match(line):
                step, steps = int(found[1]), int(found[2])
            if line.strip():
                yield BuildProgress(line=line, step=step, steps=steps)
    if not image_id:
        raise ConnectionLost("The connection to the Docker Engine was lost while it built; what it did is kept in its cache: build again.")
    yield BuildProgress(line=line or "built", step=step, steps=steps, image_id=image_id)


def write_context(spec: BuildSpec, target: IO[bytes]) -> None:
    """A tar of the context directory, less what its .dockerignore names, plus `spec.files`. Owners are root, modes are kept."""
    with tarfile.open(fileobj=target, mode="w") as tar:
        for name in sorted(exclude_paths(str(spec.context), _ignored(spec), dockerfile=spec.dockerfile)):
            if name not in spec.files:
                tar.add(spec.context / name, arcname=name, recursive=False, filter=_as_root)
        for name, content in spec.files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            tar.addfile(entry, io.BytesIO(content))


def _ignored(spec: BuildSpec) -> list[str]:
    for place in (
        spec.context / f"{spec.dockerfile}.dockerignore",
        (spec.context / spec.dockerfile).parent / ".dockerignore",
        spec.context / ".dockerignore",
    ):
        if place.is_file():
            return [line.strip() for line in Path(place).read_text().splitlines() if line.strip() and not line.startswith("#")]
    return []


def _as_root(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry
