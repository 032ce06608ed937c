"""What came of an attempt."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """`code` is what the other side answered, `error` one sentence, empty when delivered. Neither ever holds a secret."""

    delivered: bool
    code: int | None = None
    error: str = ""
