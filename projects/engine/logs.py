"""Container logs: the frames of Docker's attach format taken off, the bytes in the order in which they came."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any

from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection


def read_logs(connection: "Connection", ref: str, *, tail: int | None, since: datetime | None, timestamps: bool) -> bytes:
    """Raises NoSuchObject."""
    client = connection.client()
    with translated(connection.base_url):
        return bytes(client.logs(ref, stdout=True, stderr=True, **_options(tail, since, timestamps)))


def follow_logs(connection: "Connection", ref: str, *, tail: int | None, since: datetime | None, timestamps: bool) -> Iterator[bytes]:
    """Until the container stops or the iterator is closed."""
    client = connection.client()
    with translated(connection.base_url):
        stream = client.logs(ref, stdout=True, stderr=True, stream=True, follow=True, **_options(tail, since, timestamps))
    try:
        with translated(connection.base_url):
            yield from stream
    finally:
        stream.close()


def _options(tail: int | None, since: datetime | None, timestamps: bool) -> dict[str, Any]:
    return {"tail": "all" if tail is None else tail, "since": since.timestamp() if since else None, "timestamps": timestamps}
