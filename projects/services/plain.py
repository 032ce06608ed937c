"""What a program printed, made harmless to look at: text, and no code that a terminal would obey."""

import re

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)"  # OSC and the other strings
    r"|\x1b[ -/]*[0-~]",
    re.DOTALL,
)
_RETURNS = re.compile(r"\r+\n?")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_DIRECTIONS = re.compile("[\u202a-\u202e\u2066-\u2069]")


def plain(data: bytes) -> str:
    """Escape sequences are left out, a return starts a line, other controls and changes of direction are shown as marks."""
    text = _RETURNS.sub("\n", _ESCAPES.sub("", data.decode(errors="replace")))
    text = _DIRECTIONS.sub("\ufffd", text)
    return _CONTROLS.sub(lambda found: chr(0x2400 + ord(found[0])) if ord(found[0]) < 32 else "\ufffd", text)
