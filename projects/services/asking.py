"""Short questions to a container: an exec that is quick, small and bounded."""

from dataclasses import dataclass

from projects.engine.base import Engine, ExecSpec
from projects.states import Stream

MOST_BYTES = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """`exit_code` is None when the exec did not end in time, or its connection broke."""

    exit_code: int | None
    stdout: bytes


def ask(engine: Engine, ref: str, command: tuple[str, ...], *, timeout_seconds: float = 10, user: str = "claude") -> Answer:
    """Run a command that only looks; at most 64 KiB of its stdout. Raises EngineError as `Execs.run`."""
    output = bytearray()

    def sink(stream: Stream, data: memoryview) -> None:
        if stream is Stream.STDOUT and len(output) < MOST_BYTES:
            output.extend(data[: MOST_BYTES - len(output)])

    outcome = engine.execs.run(ref, ExecSpec(command=command, user=user), sink=sink, timeout_seconds=timeout_seconds)
    return Answer(outcome.exit_code, bytes(output))
