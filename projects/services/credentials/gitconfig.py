"""The host's .gitconfig as a container may have it: without credential helpers and without includes."""

import re
from collections.abc import Iterator

_LEFT_OUT = ("credential", "include", "includeif")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_HEADER = re.compile(r'\[([A-Za-z0-9.-]*)(?:[ \t]+"((?:[^"\\\n]|\\[^\n])*)")?\]')


class Malformed(Exception):
    """Git itself would refuse this file."""


def without_credentials(text: str) -> tuple[str, list[str]]:
    """The file without its [credential] and [include] sections, and the names of the sections left out.

    It is read as git reads it (several sections on one line, continued lines, quoted values), so that nothing of a
    section that is left out stays behind. Raises Malformed.
    """
    kept: list[str] = []
    left_out: list[str] = []
    for name, piece in _sections(text.removeprefix("\ufeff").replace("\r\n", "\n")):
        if name.split(".")[0] in _LEFT_OUT:
            left_out.append(name.split(".")[0])
        else:
            kept.append(piece if piece.endswith("\n") else piece + "\n")
    return "".join(kept), sorted(set(left_out))


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """(lower-case section name, its whole text); the name is empty for what stands before the first header."""
    position = start = 0
    name = ""
    while position < len(text):
        char = text[position]
        if char.isspace():
            position += 1
        elif char in "#;":
            position = _line_end(text, position)
        elif char == "[":
            found = _HEADER.match(text, position)
            if not found:
                raise Malformed
            if position > start:
                yield name, text[start:position]
            name, start, position = found[1].lower(), position, found.end()
        else:
            position = _entry_end(text, position)
    if start < len(text):
        yield name, text[start:]


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _entry_end(text: str, position: int) -> int:
    """Where `key = value` ends: at a line's end that is neither quoted nor escaped."""
    found = _KEY.match(text, position)
    if not found:
        raise Malformed
    position = found.end()
    while position < len(text) and text[position] in " \t":
        position += 1
    if position == len(text) or text[position] == "\n":
        return position
    if text[position] != "=":
        raise Malformed
    return _value_end(text, position + 1)


def _value_end(text: str, position: int) -> int:
    quoted = False
    while position < len(text):
        char = text[position]
        if char == "\\":
            position += 1
        elif char == '"':
            quoted = not quoted
        elif char == "\n" and quoted:
            raise Malformed
        elif char == "\n":
            return position
        elif char in "#;" and not quoted:
            return _line_end(text, position)
        position += 1
    if quoted:
        raise Malformed
    return min(position, len(text))
