"""A container's log as lines to read: the Engine's times apart, what colours a terminal taken out, words found in it marked."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z) ?")
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Line:
    """`parts` are its pieces in order, each with whether it is what was searched for."""

    stamp: str
    parts: tuple[tuple[str, bool], ...]

    @property
    def found(self) -> bool:
        return any(found for _, found in self.parts)


def lines_of(log: bytes, words: str = "") -> list[Line]:
    """Of a log that was asked for with timestamps. Bytes that are no UTF-8 are replaced."""
    needle = re.compile(re.escape(words), re.IGNORECASE) if words else None
    return [_line(text, needle) for text in log.decode(errors="replace").split("\n")[: None if not log.endswith(b"\n") else -1] if text]


def _line(text: str, needle: re.Pattern[str] | None) -> Line:
    stamp = _STAMP.match(text)
    plain = _CONTROLS.sub("", _ESCAPES.sub("", text[stamp.end() :] if stamp else text))
    return Line(stamp[1] if stamp else "", tuple(_parts(plain, needle)))


def _parts(text: str, needle: re.Pattern[str] | None) -> Iterator[tuple[str, bool]]:
    position = 0
    for match in needle.finditer(text) if needle else ():
        if match.start() > position:
            yield text[position : match.start()], False
        yield match[0], True
        position = match.end()
    if position < len(text) or not position:
        yield text[position:], False
