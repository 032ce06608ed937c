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


def ask(
    engine: Engine, ref: str, command: tuple[str, ...], *, timeout_seconds: float = 10, user: str = "claude", most_bytes: int = MOST_BYTES
) -> Answer:
    """Run a command that only looks; its stdout up to `most_bytes`. Raises EngineError as `Execs.run`."""
    output = bytearray()

    def sink(stream: Stream, data: memoryview) -> None:
        if stream is Stream.STDOUT and len(output) < most_bytes:
            output.extend(data[: most_bytes - len(output)])

    outcome = engine.execs.run(ref, ExecSpec(command=command, user=user), sink=sink, timeout_seconds=timeout_seconds)
    return Answer(outcome.exit_code, bytes(output))
