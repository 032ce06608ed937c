"""`/ws/projects/<slug>/commands/`: run, attach, kill; the output follows the run's spool, whichever process writes it."""

import asyncio
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from projects.consumers.base import SLICE_BYTES, Socket, malformed, text, whole
from projects.consumers.threads import SLOW, in_thread
from projects.models import CommandRun
from projects.services import spool
from projects.services.commands import is_over, kill_command, start_command
from projects.services.errors import BadInput, Busy, NotFound
from projects.states import RunState, Stream

POLL_SECONDS = 0.04
POSITION_BYTES = 256 * 1024
"""A `position` comes at least so often, unless one frame is larger."""


@dataclass(frozen=True)
class _Step:
    over: bool
    frames: list[tuple[Stream, bytes]]
    taken: int
    cut: bool


class CommandsConsumer(Socket):
    """Follows one run at a time; a closed socket leaves it running."""

    _run: CommandRun | None = None
    _following = False

    async def on_message(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "run":
                await self._start(message)
            case "attach":
                await self._attach(message)
            case "kill":
                await self._kill()
            case _:
                raise malformed()

    async def _start(self, message: dict[str, Any]) -> None:
        timeout = None if message.get("timeout") is None else whole(message, "timeout")
        command, workdir = text(message, "command"), text(message, "workdir", "/workspace")
        self._demand_free()
        if not await self.demand_operator():
            return
        run = await in_thread(
            lambda: start_command(project=self.project, actor=self.actor, command=command, workdir=workdir, timeout_seconds=timeout),
            pool=SLOW,
        )
        await self._follow_it(run, 0)

    async def _attach(self, message: dict[str, Any]) -> None:
        try:
            run_id = UUID(text(message, "run_id"))
        except ValueError as error:
            raise malformed() from error
        offset = whole(message, "offset", 0)
        self._demand_free()
        await self._follow_it(await in_thread(lambda: self._found(run_id, offset)), offset)

    def _demand_free(self) -> None:
        if self._following:
            raise Busy("This socket follows a command already; wait for its exit, or open another socket.")

    def _found(self, run_id: UUID, offset: int) -> CommandRun:
        run = CommandRun.objects.select_related("project", "container").filter(pk=run_id, project=self.project).first()
        if run is None:
            raise NotFound("There is no such command in this project.")
        if not spool.is_position(run, offset):
            raise BadInput("The output cannot be read from that offset; take 0, or one that a position message gave.")
        return run

    async def _follow_it(self, run: CommandRun, offset: int) -> None:
        self._run, self._following = run, True
        await self.say("started", run_id=str(run.id))
        self.start(self.told(self._follow_to_the_end(run, offset)))

    async def _kill(self) -> None:
        if self._run is None or not self._following:
            raise NotFound("No command is followed here; attach to the one that is to be killed.")
        run = self._run
        if await self.demand_operator():
            self.start(self.told(self._kill_it(run)))

    async def _kill_it(self, run: CommandRun) -> None:
        """On a row of its own: the follower goes on reading the other."""
        actor = self.actor
        await in_thread(
            lambda: kill_command(run=CommandRun.objects.select_related("project", "container").get(pk=run.pk), actor=actor), pool=SLOW
        )

    async def _follow_to_the_end(self, run: CommandRun, offset: int) -> None:
        try:
            await self._follow(run, offset)
        finally:
            self._following = False  # also when it was broken off: the client attaches again

    async def _follow(self, run: CommandRun, offset: int) -> None:
        size, told = spool.READ_BYTES, offset
        while True:
            step = await in_thread(lambda offset=offset, size=size: _step(run, offset, size))  # type: ignore[misc]
            if step.cut:
                size *= 2  # a frame larger than what was read
                continue
            for stream, payload in step.frames:
                following = offset + spool.HEADER.size + len(payload)
                if told < offset and following - told > POSITION_BYTES:
                    told = offset
                    await self.say("position", offset=offset)
                for at in range(0, len(payload), SLICE_BYTES):
                    await self.output(bytes([stream]) + payload[at : at + SLICE_BYTES])
                offset = following
            size = spool.READ_BYTES
            if step.taken:
                told = offset
                await self.say("position", offset=offset)
            elif step.over:
                break
            else:
                await asyncio.sleep(POLL_SECONDS)
        await self.say("position", offset=offset)
        self._following = False
        await self.say(
            "exit",
            exit_code=run.exit_code,
            timed_out=run.state == RunState.TIMED_OUT,
            killed=run.state == RunState.KILLED,
            duration_seconds=run.duration_seconds,
            state=run.state,
            message=run.message,
        )


def _step(run: CommandRun, offset: int, size: int) -> _Step:
    step = _read(run, offset, size)
    if step.taken or step.cut:
        return step
    over = is_over(run)  # and then looked once more, so that nothing written before the end is missed
    return replace(_read(run, offset, size), over=over)


def _read(run: CommandRun, offset: int, size: int) -> _Step:
    data = spool.read_from(run, offset, size)
    frames, taken = spool.split_frames(data)
    return _Step(False, frames, taken, cut=not taken and len(data) == size)
