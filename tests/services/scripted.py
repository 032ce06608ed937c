"""An engine that plays what a test tells it: one running container, execs by script, kills that answer as told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, cast

from django.utils import timezone

from projects.engine.base import ContainerInfo, Engine, EngineInfo, ExecOutcome, ExecSpec, Mount, Usage
from projects.models import Project
from projects.services.engines import use_engine
from projects.services.instance import instance_id
from projects.services.spec import project_labels
from projects.states import Health, Status, Stream

MB = 1024 * 1024


def outcome(exit_code: int | None = 0, **how: bool) -> ExecOutcome:
    given = {"timed_out": False, "stopped": False, "connection_lost": False, **how}
    return ExecOutcome(exec_id="e" * 64, exit_code=exit_code, duration_seconds=0.1, **given)


def container_info(project: Project, **fields: Any) -> ContainerInfo:
    given: dict[str, Any] = {
        "docker_id": "c" * 64,
        "name": f"claude-dev-{project.slug}",
        "image": "image",
        "image_id": "sha256:1",
        "status": Status.RUNNING,
        "health": Health.HEALTHY,
        "failing_streak": 0,
        "health_output": "",
        "exit_code": None,
        "oom_killed": False,
        "error": "",
        "created_at": timezone.now() - timedelta(hours=2),
        "started_at": timezone.now(),
        "finished_at": None,
        "labels": project_labels(project, instance_id()),
        "mounts": (Mount(project.path, "/workspace"),),
        "environment": {},
        "cpu_limit": 4.0,
        "memory_limit_bytes": 8 * 1024 * MB,
        "pids_limit": 1000,
        "restart_count": 0,
        "network_names": (),
    }
    return ContainerInfo(**{**given, **fields})


class ScriptedEngine:
    """`play` runs the leader's exec; `answers` are the probes' outputs in turn (the last one stays), exceptions are raised."""

    def __init__(self, project: Project) -> None:
        self.info_: ContainerInfo | None = container_info(project)
        self.containers = self.execs = self.stats = self
        self.play: Callable[[Any, Callable[[], bool]], ExecOutcome] = lambda sink, stop: outcome()
        self.answers: list[bytes | Exception] = [b"gone\n"]
        self.kill_answer: bool | Exception = True
        self.killed: list[str] = []
        self.specs: list[ExecSpec] = []
        self.local = True
        self.usage_: Usage | None = None
        self.info_calls = 0

    def inspect(self, ref: str) -> ContainerInfo | None:
        return self.info_

    def run(self, ref: str, spec: ExecSpec, *, sink, timeout_seconds=None, stop=None, started=None) -> ExecOutcome:
        self.specs.append(spec)
        if stop is None:  # a short question
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            if isinstance(answer, Exception):
                raise answer
            sink(Stream.STDOUT, memoryview(answer))
            return outcome(0)
        if started:
            started("e" * 64)
        return self.play(sink, stop)

    def kill(self, ref: str, marker: str, *, grace_seconds: float = 3) -> bool:
        self.killed.append(marker)
        if isinstance(self.kill_answer, Exception):
            raise self.kill_answer
        return self.kill_answer

    def usage(self, ref: str) -> Usage | None:
        return self.usage_

    def info(self) -> EngineInfo:
        self.info_calls += 1
        return EngineInfo("20.10", "1.41", "unix:///x", self.local, 2, 8 * 1024 * MB, "/var/lib/docker", "overlay2", "1", "Debian")


def printing(*chunks: tuple[Stream, bytes], end: ExecOutcome | None = None) -> Callable[[Any, Callable[[], bool]], ExecOutcome]:
    """A leader that prints these chunks and ends."""

    def play(sink: Any, stop: Callable[[], bool]) -> ExecOutcome:
        for stream, data in chunks:
            sink(stream, memoryview(data))
        return end or outcome()

    return play


def until_stopped(sink: Any, stop: Callable[[], bool]) -> ExecOutcome:
    """A leader that runs until it is asked to end."""
    while not stop():
        pass
    return outcome(None, stopped=True)


def use_scripted(engine: ScriptedEngine) -> None:
    """It has only the calls that these tests need."""
    use_engine(cast(Engine, engine))
