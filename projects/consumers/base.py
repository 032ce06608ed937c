"""What both sockets share: admitted or refused, watched while open, one reader, and a cleanup that always runs.

Not Channels' own consumers: they call `disconnect` never at all when a send meets a client that is gone (seen), and they
handle each message through a thread that all sockets of the process share.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

import structlog
from django.db import DatabaseError

from projects.access import AccessDenied, Permission, demand, may, project_for
from projects.consumers.flow import Flow
from projects.consumers.identity import bears_token, credential_of, user_of
from projects.consumers.lookouts import lookouts
from projects.consumers.threads import in_thread
from projects.engine.errors import EngineError
from projects.models import Project
from projects.services.errors import HubError
from projects.services.record import Actor
from projects.services.second_factor import REMEDY, second_factor_missing

SEND_SECONDS = 30
FAREWELL_SECONDS = 5
"""For the last message and the close, which wait until the client has taken what came before them."""
CHECK_SECONDS = 10
SHARE_SECONDS = 5
"""What one socket was told of its access counts so long for another of the same person in the same project."""
SLICE_BYTES = 64 * 1024
LARGEST_NUMBER = 2**53
NOT_SIGNED_IN, NO_ACCESS, MALFORMED = 4401, 4404, 4400

log = structlog.get_logger(__name__)
_open: Counter[str] = Counter()


def open_sockets() -> dict[str, int]:
    """How many this process holds, by kind."""
    return {kind: number for kind, number in _open.items() if number}


class Refused(Exception):
    """The socket is closed with `code`, after an `error` that says why."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Gone(Exception):
    """The client left, or took nothing for too long."""


@dataclass(frozen=True)
class Admission:
    """Who opened a socket, and what he may do there now. `project` is None where the socket belongs to none."""

    user: Any
    project: Project | None = None
    may_operate: bool = False


class Socket:
    """One websocket of a project, as an ASGI application: `Kind.as_asgi()`."""

    project: Project
    user: Any
    may_operate = False

    def __init__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.scope = scope
        self._receive, self._send = receive, send
        self._tasks: set[asyncio.Task[None]] = set()
        self._ended: asyncio.Queue[asyncio.Task[None]] = asyncio.Queue()
        self._sending = asyncio.Lock()
        self.query = {name: values[-1] for name, values in parse_qs(scope.get("query_string", b"").decode("latin-1")).items()}
        self.flow = Flow(confirms=self.query.get("ack") == "1")

    @classmethod
    def as_asgi(cls) -> Any:
        async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
            await cls(scope, receive, send).serve()

        return application

    async def serve(self) -> None:
        await self._receive()  # websocket.connect
        _open[type(self).__name__] += 1
        try:
            await self._put({"type": "websocket.accept"})
            try:
                await self._admitted()
            finally:
                await self._stop_tasks()  # first: who was refused gets no more output
        except Refused as refused:
            await self._farewell(refused.code, str(refused))
        except Gone:
            await self._farewell(1001)
        except Exception:
            log.exception("socket.failed", path=self.scope["path"])
            await self._farewell(1011, "Something went wrong inside the hub, and its log tells what; open the page again.")
        finally:
            _open[type(self).__name__] -= 1
            await asyncio.shield(self.cleanup())

    # -- what a kind of socket says ---------------------------------------------------------

    async def opened(self) -> None:
        """After the sign-in and access were checked."""

    async def on_message(self, message: dict[str, Any]) -> None:
        raise malformed()

    async def on_bytes(self, data: bytes) -> None:
        raise malformed()

    async def cleanup(self) -> None:
        """Always called, its tasks ended before."""

    # -- sending ----------------------------------------------------------------------------

    async def say(self, kind: str, **fields: Any) -> None:
        await self._put({"type": "websocket.send", "text": json.dumps({"type": kind, **fields})})

    async def error(self, message: str) -> None:
        await self.say("error", message=message)

    async def output(self, data: bytes) -> None:
        """Binary; waits for the client. Raises Gone when it takes nothing for 30 s."""
        try:
            await self.flow.room(SEND_SECONDS)
        except TimeoutError as error:
            raise Gone from error
        self.flow.sent(len(data))
        await self._put({"type": "websocket.send", "bytes": data})

    async def _farewell(self, code: int, message: str = "") -> None:
        """Quiet where nobody takes it any more: the server drops the connection then."""
        with contextlib.suppress(Gone, TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                if message:
                    await self.error(message)
                await self._put({"type": "websocket.close", "code": code})

    async def _put(self, message: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(SEND_SECONDS):
                async with self._sending:
                    await self._send(message)
        except (TimeoutError, OSError, RuntimeError) as error:
            raise Gone from error

    # -- inside -----------------------------------------------------------------------------

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """A task of this socket's own; what it raises ends the socket."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended.put_nowait)
        return task

    async def told(self, work: Coroutine[Any, Any, None]) -> None:
        """For `start`: what goes wrong is an `error`, and the socket stays open. Never for what watches over access."""
        try:
            await work
        except (HubError, EngineError) as error:
            await self.error(str(error))
        except DatabaseError:
            log.exception("socket.database_failed", path=self.scope["path"])
            await self.error("The hub's database did not answer; what was asked for may not have been done, so look before you try again.")

    async def demand_operator(self) -> bool:
        """Looked up anew, before anything that changes something. Says so where it may not."""
        try:
            await in_thread(lambda: self._check(Permission.OPERATE))
        except AccessDenied as error:
            await self.error(str(error))
            return False
        return True

    @property
    def actor(self) -> Actor:
        return Actor.of(self.user)

    async def _admitted(self) -> None:
        await in_thread(self._check)
        await self.opened()
        self.start(self._read())
        self.start(self._watch())
        while True:
            ended = await self._ended.get()  # and not `asyncio.wait`, which knows nothing of tasks that are started meanwhile
            self._tasks.discard(ended)
            ended.result()

    def _check(self, permission: Permission = Permission.VIEW) -> None:
        """Raises Refused for one who may not even look, AccessDenied for one who may do no more."""
        self._take(self._admission())
        demand(self.user, permission, self.project)

    def _admission(self) -> Admission:
        """Looked up anew. Raises Refused."""
        user = self._signed_in()
        try:
            project = project_for(user, self._slug)
        except AccessDenied as error:
            raise Refused(NO_ACCESS, str(error)) from error
        return Admission(user, project, may(user, Permission.OPERATE, project))

    def _signed_in(self) -> Any:
        user = user_of(self.scope)
        if not user.is_authenticated:
            raise Refused(NOT_SIGNED_IN, "Sign in first, or send a valid API token as Authorization: Bearer <token>.")
        if not bears_token(self.scope) and second_factor_missing(user):
            raise Refused(NOT_SIGNED_IN, REMEDY)
        return user

    def _take(self, admission: Admission) -> None:
        self.user, self.may_operate = admission.user, admission.may_operate
        if admission.project is not None:
            self.project = admission.project

    @property
    def _slug(self) -> str:
        return str(self.scope["url_route"]["kwargs"].get("slug", ""))

    async def _watch(self) -> None:
        operator = self.may_operate
        key = (type(self)._admission, credential_of(self.scope), self._slug)
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            self._take(await lookouts().found(key, self._admission, not_older=SHARE_SECONDS))
            if operator and not self.may_operate:
                raise Refused(NO_ACCESS, "You may only look at this project from now on; open the page again to watch.")

    async def _read(self) -> None:
        while True:
            message = await self._receive()
            if message["type"] == "websocket.disconnect":
                raise Gone
            try:
                await self._dispatch(message)
            except (HubError, EngineError) as error:
                await self.error(str(error))

    async def _dispatch(self, message: dict[str, Any]) -> None:
        if message.get("bytes") is not None:
            await self.on_bytes(message["bytes"])
            return
        parsed = _parsed(message.get("text") or "")
        if parsed["type"] == "ack":
            self.flow.confirmed(whole(parsed, "bytes"))
        else:
            await self.on_message(parsed)

    async def _stop_tasks(self) -> None:
        for task in self._tasks:
            task.cancel()
        for ended in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(ended, Exception) and not isinstance(ended, (Gone, Refused)):
                log.error("socket.task_failed", path=self.scope["path"], exc_info=ended)


def malformed() -> Refused:
    return Refused(MALFORMED, "The message is unknown or malformed; see the websockets in the hub's documentation.")


def whole(message: dict[str, Any], field: str, default: int | None = None) -> int:
    """A whole number from 0 on. Raises Refused."""
    value = message.get(field, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= LARGEST_NUMBER:
        raise malformed()
    return value


def text(message: dict[str, Any], field: str, default: str | None = None) -> str:
    """Raises Refused."""
    value = message.get(field, default)
    if not isinstance(value, str):
        raise malformed()
    return value


def _parsed(content: str) -> dict[str, Any]:
    try:
        message = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise malformed() from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise malformed()
    return message
