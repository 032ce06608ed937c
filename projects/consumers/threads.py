"""Threads for what blocks. Channels' own are shared by all sockets of the process: one slow call would hold up every one."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from asgiref.sync import sync_to_async
from django.db import close_old_connections

T = TypeVar("T")

QUICK = ThreadPoolExecutor(16, thread_name_prefix="socket")
SLOW = ThreadPoolExecutor(32, thread_name_prefix="socket-slow")
"""For what waits for the Engine, so that no hung one holds up a look into a file or the database."""


async def in_thread(call: Callable[[], T], *, pool: ThreadPoolExecutor = QUICK) -> T:
    def work() -> T:
        close_old_connections()
        try:
            return call()
        finally:
            close_old_connections()

    return await sync_to_async(work, thread_sensitive=False, executor=pool)()
