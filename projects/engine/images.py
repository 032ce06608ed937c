"""Images: look, list, remove, and build with progress as it happens."""

import io
import json
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import docker
import docker.auth
import docker.errors
import requests
import structlog
from docker.utils.build import exclude_paths

from projects.engine.answers import image_of
from projects.engine.base import BuildProgress, BuildSpec, ImageInfo, ImageLayer
from projects.engine.errors import BuildFailed, BuildStopped, ConnectionLost, NoSuchObject, Refused
from projects.engine.streaming import Streaming
from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

BUILD_HEAD_SECONDS = 600
"""For sending the context and until the builder begins."""
BUILD_PATIENCE_SECONDS = 60
"""Without one answered ping: a busy host is slow, and a build is worth waiting for."""
STOP_ASKED_SECONDS = 0.5
log = structlog.get_logger(__name__)
_BUILDERS_OWN = (" ---> ", "Removing intermediate container ")
_SHELL = re.compile(r"^(?:\|\d+ (?:\S+=\S* )*)?(?:/bin/(?:ba)?sh(?: -\w+(?: pipefail)?)* -c )?(?:#\(nop\)\s*)?")
_STEP = re.compile(r"^Step (\d+)/(\d+) :")


class DockerImages:
    """`Images` of projects.engine.base."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def inspect(self, ref: str) -> ImageInfo | None:
        client: Any = self._connection.client()
        if not ref:
            return None
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

    def history(self, ref: str) -> Sequence[ImageLayer]:
        client: Any = self._connection.client()
        if not ref:
            return []
        try:
            with translated(self._connection.base_url):
                found = client.history(ref)
        except NoSuchObject:
            return []
        return [ImageLayer(datetime.fromtimestamp(row["Created"], UTC), _instruction(row["CreatedBy"]), int(row["Size"])) for row in found]

    def build(self, spec: BuildSpec, *, stop: Callable[[], bool] | None = None) -> Iterator[BuildProgress]:
        """Closing the iterator ends the build too."""
        with tempfile.TemporaryFile() as context:
            try:
                write_context(spec, context)
            except OSError as error:
                raise BuildFailed(f"The build context {spec.context} cannot be read ({error}); mend it, then build again.") from error
            context.seek(0)
            stream = Streaming(self._connection, lambda client: _ask(client, spec, context), patience_seconds=BUILD_PATIENCE_SECONDS)
            try:
                yield from Progress().of(_objects(_chunks(stream, stop)))
            except (Refused, NoSuchObject) as error:
                raise BuildFailed(f"The build could not begin: {error}") from error
            finally:
                stream.close()

    def remove(self, ref: str) -> None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                client.remove_image(ref)
        except NoSuchObject:
            pass


def _ask(client: docker.APIClient, spec: BuildSpec, context: IO[bytes]) -> requests.Response:
    """The classic builder, which every Engine has. It answers its head before the first step."""
    params: dict[str, Any] = {
        "dockerfile": spec.dockerfile,
        "t": spec.tag,
        "buildargs": json.dumps(dict(spec.build_args)),
        "labels": json.dumps(dict(spec.labels)),
        "nocache": int(spec.no_cache),
        "pull": int(spec.pull),
        "rm": 1,
        "forcerm": 1,
    }
    headers = {"Content-Type": "application/x-tar", **_registry_logins()}
    address = f"{client.base_url}/v{client.api_version}/build"
    return client.post(address, params=params, data=context, headers=headers, stream=True, timeout=(10, BUILD_HEAD_SECONDS))


def _registry_logins() -> dict[str, str]:
    """The logins of `docker login`, for base images of private registries."""
    try:
        config: Any = docker.auth.load_config()
        logins = config.get_all_credentials()
    except docker.errors.DockerException as error:
        log.warning("engine.registry_logins_unreadable", error=str(error))
        return {}
    return {"X-Registry-Config": docker.auth.encode_header(logins).decode()} if logins else {}


def _chunks(stream: Streaming, stop: Callable[[], bool] | None) -> Iterator[bytes]:
    """A step may be silent for minutes, so the wish to stop is asked for meanwhile."""
    while True:
        if stop is not None and stop():
            raise BuildStopped("The build was stopped; its finished steps are kept, so the next one goes on from there.")
        try:
            chunk = stream.next(STOP_ASKED_SECONDS)
        except TimeoutError:
            continue
        if chunk is None:
            return
        yield chunk


def _instruction(created_by: str) -> str:
    """As the Dockerfile has it: the classic builder writes `/bin/sh -c #(nop)  ENV A=b`, or a whole RUN with its arguments."""
    return " ".join(_SHELL.sub("", created_by).split()) if "#(nop)" in created_by else "RUN " + " ".join(_SHELL.sub("", created_by).split())


def _objects(chunks: Iterable[bytes]) -> Iterator[Mapping[str, Any]]:
    """One JSON object a line, wherever the chunks were cut."""
    waiting = b""
    for chunk in chunks:
        *lines, waiting = (waiting + chunk).split(b"\n")
        yield from (json.loads(line) for line in lines if line.strip())


class Progress:
    """Where a build stands: which step, what it said last, and in the end the image."""

    def __init__(self) -> None:
        self._step: int | None = None
        self._steps: int | None = None
        self._step_line = ""
        self._line = ""
        self._image_id = ""

    def of(self, answers: Iterable[Mapping[str, Any]]) -> Iterator[BuildProgress]:
        """The lines. Raises BuildFailed with the failing step, ConnectionLost when the answers end before the image."""
        unfinished = ""
        for answer in answers:
            if "error" in answer:
                raise self._failure(str(answer["error"]))
            self._image_id = (answer.get("aux") or {}).get("ID") or self._image_id
            status = " ".join(part for part in (answer.get("id"), answer.get("status")) if part)
            text = unfinished + (answer.get("stream") or (f"{status}\n" if status else ""))
            *lines, unfinished = text.replace("\r\n", "\n").split("\n")
            yield from (self._told(line) for line in lines if line.strip())
        if unfinished.strip():
            yield self._told(unfinished)
        if not self._image_id:
            raise ConnectionLost("The connection to the Docker Engine was lost while it built; its finished steps are kept: build again.")
        yield replace(self._told("Built " + self._image_id.removeprefix("sha256:")[:12]), image_id=self._image_id)

    def _told(self, line: str) -> BuildProgress:
        if found := _STEP.match(line):
            self._step, self._steps, self._step_line = int(found[1]), int(found[2]), line
        if not line.startswith(_BUILDERS_OWN):
            self._line = line
        return BuildProgress(line=line, step=self._step, steps=self._steps)

    def _failure(self, reason: str) -> BuildFailed:
        at = f" at step {self._step} of {self._steps} ({self._step_line.split(' : ', 1)[-1]})" if self._step else ""
        last = f"; it said last: {self._line.strip()}" if self._line not in ("", self._step_line) else ""
        return BuildFailed(f"The build failed{at}: {' '.join(reason.split())}{last}")


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
