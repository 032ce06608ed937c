"""Secrets are replaced by `***` in a stream of bytes, also where a secret is cut over two chunks."""

import re
from collections.abc import Iterable

MASK = b"***"
LEAST_BYTES = 4
"""Shorter values are left alone: masking them would garble ordinary output and still give them away."""

Bytes = bytes | bytearray | memoryview


class Masker:
    """Masks one stream. What comes out is the same however the stream was cut into chunks.

    Of several secrets the leftmost is masked, of those that start together the longest. Only a suffix that may
    be the beginning of a secret is held back, until the next chunk or `flush`.
    """

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = sorted({s for s in secrets if len(s) >= LEAST_BYTES}, key=lambda s: (-len(s), s))
        self._pattern = re.compile(b"|".join(map(re.escape, self._secrets)))
        self._longest = len(self._secrets[0]) if self._secrets else 0
        self._first_bytes = {s[:1] for s in self._secrets}
        self._held = b""

    def feed(self, data: Bytes) -> Bytes:
        """The bytes that are decided now. Without secrets that is `data` itself, uncopied."""
        if not self._secrets:
            return data
        buffer = b"".join((self._held, data))
        starts = self._possible_starts(buffer)
        if not any(secret in buffer for secret in self._secrets):
            end = starts[0] if starts else len(buffer)
            self._held = buffer[end:]
            return buffer[:end]
        return self._replace(buffer, starts)

    def flush(self) -> bytes:
        """What was held back, at the end of the stream. A longer secret may have held back a whole shorter one."""
        held, self._held = self._held, b""
        return self._pattern.sub(MASK, held) if held else held

    def _replace(self, buffer: bytes, starts: list[int]) -> bytes:
        parts, position = [], 0
        while True:
            found = self._pattern.search(buffer, position)
            undecided = next((start for start in starts if start >= position), len(buffer))
            if found is None or found.start() >= undecided:
                parts.append(buffer[position:undecided])
                self._held = buffer[undecided:]
                return b"".join(parts)
            parts += [buffer[position : found.start()], MASK]
            position = found.end()

    def _possible_starts(self, buffer: bytes) -> list[int]:
        """Where a suffix of the buffer is the beginning, but not the whole, of a secret."""
        starts = set()
        least = max(0, len(buffer) - self._longest + 1)
        for first in self._first_bytes:
            at = buffer.find(first, least)
            while at != -1:
                suffix = buffer[at:]
                if any(len(suffix) < len(secret) and secret.startswith(suffix) for secret in self._secrets):
                    starts.add(at)
                at = buffer.find(first, at + 1)
        return sorted(starts)


def mask_text(text: str, secrets: Iterable[bytes]) -> str:
    """The text with every secret masked, for sentences that quote a command."""
    masker = Masker(secrets)
    return (bytes(masker.feed(text.encode(errors="replace"))) + masker.flush()).decode(errors="replace")
