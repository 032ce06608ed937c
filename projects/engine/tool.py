"""`python -m projects.engine.tool ping | have IMAGE | pull IMAGE | import IMAGE`: what the front door asks of the Engine.

Status 0 for yes or done, 1 with one sentence on stderr otherwise. `import` reads a tar of the root directory from stdin.
"""

import sys
from collections.abc import Sequence

from projects.engine.connection import Connection, connect
from projects.engine.errors import EngineError
from projects.engine.translate import translated

PING_SECONDS = 5
IMPORT_SECONDS = 600


def main(words: Sequence[str]) -> int:
    try:
        return _do(*words)
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _do(verb: str, image: str = "") -> int:
    engine = connect(timeout_seconds=IMPORT_SECONDS)
    if verb == "ping":
        engine.ping(timeout_seconds=PING_SECONDS)
    elif verb == "have":
        return int(engine.images.inspect(image) is None)
    elif verb == "pull":
        _pull(engine.connection, image)
    elif verb == "import":
        _import(engine.connection, image)
    else:
        sys.stderr.write(f"{verb}: no such verb\n")
        return 2
    return 0


def _pull(connection: Connection, image: str) -> None:
    repository, _, tag = image.partition(":")
    with connection.raw_client(timeout_seconds=IMPORT_SECONDS) as client, translated(connection.base_url):
        client.pull(repository, tag=tag or "latest")


def _import(connection: Connection, image: str) -> None:
    repository, _, tag = image.partition(":")
    changes = ['CMD ["bash"]', "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    with connection.raw_client(timeout_seconds=IMPORT_SECONDS) as client, translated(connection.base_url):
        client.import_image_from_stream(sys.stdin.buffer, repository=repository, tag=tag or "latest", changes=changes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
