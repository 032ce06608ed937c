"""A place to try an engine in: what it makes bears one label, and only that is removed."""

import itertools
import uuid
from dataclasses import dataclass, field
from typing import Any

from projects.engine.base import MARKER_VARIABLE, Change, ContainerSpec, Engine, ExecOutcome, ExecSpec
from projects.states import ChangeKind, Stream
from tests.engine.fake import FakeEngine, Script

IMAGE = "debian:bookworm-slim"
LABEL = "io.containerhub.test"
BOTH_STREAMS = ("sh", "-c", "echo out; echo err >&2")
THREE_LINES = ("sh", "-c", "echo one; sleep 0.2; echo two >&2; sleep 0.2; echo three; exec sleep 1000")
ENDS_WITH_3 = ("sh", "-c", "exit 3")
WRITES = ("sh", "-c", "mkdir /srv/new; echo new > /srv/new/file; echo more >> /etc/issue; rm /etc/issue.net; exec sleep 1000")
WRITTEN = (
    Change("/srv/new", ChangeKind.ADDED),
    Change("/srv/new/file", ChangeKind.ADDED),
    Change("/etc/issue", ChangeKind.CHANGED),
    Change("/etc/issue.net", ChangeKind.DELETED),
)
SCRIPTS: dict[tuple[str, ...], Script] = {
    BOTH_STREAMS: Script(stdout=b"out\n", stderr=b"err\n"),
    THREE_LINES: Script(stdout=b"one\ntwo\nthree\n", seconds=1000),
    ENDS_WITH_3: Script(exit_code=3),
    WRITES: Script(seconds=1000, changes=WRITTEN),
}


@dataclass
class Lab:
    """An engine, and short words for the common steps."""

    engine: Engine
    run_id: str = field(default_factory=lambda: f"t{uuid.uuid4().hex[:10]}")
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        if isinstance(self.engine, FakeEngine):
            self.engine.scripts |= SCRIPTS

    @property
    def labels(self) -> dict[str, str]:
        return {LABEL: self.run_id}

    def name(self) -> str:
        return f"{self.run_id}-{next(self._numbers)}"

    def spec(self, **changes: Any) -> ContainerSpec:
        fields: dict[str, Any] = {"name": self.name(), "image": IMAGE, "command": ("sleep", "1000"), "labels": self.labels} | changes
        return ContainerSpec(**fields)

    def created(self, **changes: Any) -> str:
        return self.engine.containers.create(self.spec(**changes))

    def running(self, **changes: Any) -> str:
        docker_id = self.created(**changes)
        self.engine.containers.start(docker_id)
        return docker_id

    def run(self, ref: str, *command: str, marker: str = "", **options: Any) -> tuple[ExecOutcome, bytes, bytes]:
        """The outcome, stdout and stderr of a command run as root."""
        heard: dict[Stream, bytes] = {Stream.STDOUT: b"", Stream.STDERR: b""}

        def sink(stream: Stream, data: memoryview) -> None:
            heard[stream] += bytes(data)

        spec = ExecSpec(command, user="root", working_dir="/", environment={MARKER_VARIABLE: marker} if marker else {})
        outcome = self.engine.execs.run(ref, spec, sink=sink, **options)
        return outcome, heard[Stream.STDOUT], heard[Stream.STDERR]

    def clean(self) -> None:
        for row in self.engine.containers.list(labels=self.labels):
            self.engine.containers.remove(row.docker_id, force=True)
        for image in self.engine.images.list(labels=self.labels):
            for tag in image.tags or (image.image_id,):
                self.engine.images.remove(tag)
