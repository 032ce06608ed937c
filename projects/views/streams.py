"""Answers that are sent as they are made."""

from collections.abc import AsyncIterator, Iterator

from asgiref.sync import sync_to_async


async def off_the_loop(parts: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The parts, each made in a thread: whoever makes them may read files and the database."""
    step = sync_to_async(lambda: next(parts, None), thread_sensitive=False)
    while (part := await step()) is not None:
        yield part
