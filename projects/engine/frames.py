"""The frames in which the Engine sends stdout and stderr over one connection.

Wire format (Docker Engine API, "Stream format" of POST /containers/{id}/attach,
https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach):
eight bytes of header, `[stream, 0, 0, 0, size1, size2, size3, size4]`, the size a big-endian uint32,
then `size` bytes of payload. Stream 1 is stdout, 2 is stderr; 0 is stdin and is written on stdout; 3 carries
errors of the Engine itself (moby pkg/stdcopy, `Systemerr`). A TTY's stream has no frames at all.
"""

from collections.abc import Iterator

from projects.engine.errors import ConnectionLost
from projects.states import Stream

HEADER_BYTES = 8
_STREAMS = {0: Stream.STDOUT, 1: Stream.STDOUT, 2: Stream.STDERR, 3: Stream.STDERR}


def header(stream: Stream, size: int) -> bytes:
    """The eight bytes that go before `size` bytes of payload."""
    return bytes((stream, 0, 0, 0)) + size.to_bytes(4, "big")


class FrameParser:
    """Cuts fed bytes into payloads, wherever the feeds were cut. It keeps no payload: each one handed
    out is a slice of what was just fed, so a frame that came in three feeds is handed out in three."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._stream = Stream.STDOUT
        self._left = 0

    def feed(self, data: memoryview) -> Iterator[tuple[Stream, memoryview]]:
        """The payloads in `data`, in order and never empty. Raises ConnectionLost on what is no frame."""
        position, end = 0, len(data)
        while position < end:
            if self._left:
                taken = min(self._left, end - position)
                self._left -= taken
                yield self._stream, data[position : position + taken]
            else:
                taken = min(HEADER_BYTES - len(self._header), end - position)
                self._header += data[position : position + taken]
                if len(self._header) == HEADER_BYTES:
                    self._open_frame()
            position += taken

    def _open_frame(self) -> None:
        number, zeros = self._header[0], self._header[1:4]
        if number not in _STREAMS or any(zeros):
            raise ConnectionLost("The Engine sent output that is not in its own frame format; run the command again.")
        self._stream = _STREAMS[number]
        self._left = int.from_bytes(self._header[4:], "big")
        self._header.clear()

    @property
    def whole(self) -> bool:
        """Whether all that was fed ended at the end of a frame; if not, the stream was cut."""
        return not self._left and not self._header
