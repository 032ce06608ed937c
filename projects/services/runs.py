"""Past and present command runs as people look at them: found again, their output as text and as bytes."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import QuerySet

from projects.engine.frames import FrameParser
from projects.models import CommandRun, Project
from projects.services import spool
from projects.states import RunState, Stream

SHOWN_BYTES = 512 * 1024
"""Of a run's output on a page; the whole is there to download."""


@dataclass(frozen=True)
class Shown:
    """The end of a run's output as (stream's name, text) in the order in which it came; `truncated` when there was more before."""

    parts: list[tuple[str, str]]
    truncated: bool


def found(project: Project, words: str = "") -> QuerySet[CommandRun]:
    """The project's runs, newest first; only those whose command holds `words`, whatever the case."""
    rows = CommandRun.objects.filter(project=project).order_by("-started_at", "-id")
    words = words.replace("\0", "").strip()
    return rows.filter(command__icontains=words) if words else rows


def shown_output(run: CommandRun, limit: int = SHOWN_BYTES) -> Shown:
    """Its last `limit` bytes as text; bytes that are no UTF-8 are replaced, characters that were cut by a chunk's end are not."""
    last = spool.ending(run, limit)
    decoders = {stream: codecs.getincrementaldecoder("utf-8")(errors="replace") for stream in Stream}
    parts: list[tuple[str, str]] = []
    for number, data in last.chunks:
        stream = Stream(number)
        text = decoders[stream].decode(data)
        if text and parts and parts[-1][0] == stream.name.lower():
            text = parts.pop()[1] + text
        if text:
            parts.append((stream.name.lower(), text))
    if run.state != RunState.RUNNING:
        parts += [(stream.name.lower(), rest) for stream, decoder in decoders.items() if (rest := decoder.decode(b"", final=True))]
    return Shown(parts, last.truncated)


def payload(run: CommandRun, only: Stream | None = None) -> Iterator[bytes]:
    """All of its output so far, byte for byte, of both streams as they came or of one."""
    parser, offset = FrameParser(), 0
    while data := spool.read_from(run, offset):
        offset += len(data)
        yield b"".join(bytes(part) for stream, part in parser.feed(memoryview(data)) if only in (None, stream))
