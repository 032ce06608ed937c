"""Container logs: the frames of Docker's attach format taken off, the bytes in the order in which they came."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import docker
import requests

from projects.engine.frames import FrameParser
from projects.engine.streaming import Streaming
from projects.engine.translate import checked, translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection


def read_logs(connection: "Connection", docker_id: str, *, tail: int | None, since: datetime | None, timestamps: bool) -> bytes:
    """Raises NoSuchObject."""
    framed = has_frames(connection, docker_id)
    client = connection.client()
    with translated(connection.base_url):
        content = checked(_ask(client, docker_id, _options(tail, since, timestamps), connection.timeout_seconds)).content
    return b"".join(_payloads(FrameParser(), content)) if framed else bytes(content)


class LogFollower:
    """Log bytes as they come, until the container stops or `close()`, which any thread may call."""

    def __init__(self, connection: "Connection", docker_id: str, *, tail: int | None, since: datetime | None, timestamps: bool) -> None:
        self._parser = FrameParser() if has_frames(connection, docker_id) else None
        options = {**_options(tail, since, timestamps), "follow": 1}
        self._stream = Streaming(connection, lambda client: _ask(client, docker_id, options, connection.timeout_seconds, stream=True))

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        while (chunk := self._stream.next()) is not None:
            data = b"".join(_payloads(self._parser, chunk)) if self._parser else chunk
            if data:
                return data
        raise StopIteration

    def close(self) -> None:
        self._stream.close()

    def __del__(self) -> None:
        self.close()


def has_frames(connection: "Connection", docker_id: str) -> bool:
    """A terminal's output has none. Raises NoSuchObject."""
    client = connection.client()
    with translated(connection.base_url):
        found: Mapping[str, Any] = client.inspect_container(docker_id)
    return not found["Config"].get("Tty")


def _ask(
    client: docker.APIClient, docker_id: str, options: Mapping[str, Any], timeout_seconds: float, *, stream: bool = False
) -> requests.Response:
    address = f"{client.base_url}/v{client.api_version}/containers/{docker_id}/logs"
    return client.get(address, params=dict(options), stream=stream, timeout=timeout_seconds)


def _payloads(parser: FrameParser, data: bytes) -> Iterator[bytes]:
    return (bytes(payload) for _, payload in parser.feed(memoryview(data)))


def _options(tail: int | None, since: datetime | None, timestamps: bool) -> dict[str, Any]:
    options: dict[str, Any] = {"stdout": 1, "stderr": 1, "tail": "all" if tail is None else tail, "timestamps": int(timestamps)}
    if since is not None:
        options["since"] = f"{since.timestamp():.6f}"
    return options
