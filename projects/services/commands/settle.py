"""The end of a run, written once: the row and its Event in one transaction."""

from django.db import transaction
from django.utils import timezone

from projects.engine.base import Engine
from projects.engine.errors import EngineError, EngineUnreachable, NoSuchObject, WrongState
from projects.models import CommandRun
from projects.services import spool
from projects.services.credentials import secret_values
from projects.services.masking import mask_text
from projects.services.record import HUB, Actor, record
from projects.states import RunState

KILL_FAILED = "Something of this command may still run: restart the container to end it."
_WORDS = {
    RunState.FINISHED: "ended",
    RunState.TIMED_OUT: "ran out of time and was killed",
    RunState.KILLED: "was killed",
    RunState.KILL_FAILED: "could not be killed for sure",
    RunState.OUTPUT_LIMIT: "was killed at the limit of its output",
    RunState.OUT_OF_MEMORY: "ran out of memory",
    RunState.CONNECTION_LOST: "was lost from sight: the connection to the Engine broke",
    RunState.INTERRUPTED: "was lost from sight: the hub's process that read it ended",
    RunState.FAILED: "never started",
}


def secrets_of(run: CommandRun) -> list[bytes]:
    """The project's secrets as bytes."""
    return [value.encode() for value in secret_values(run.project)]


def quoted(run: CommandRun) -> str:
    """The command's first line for a sentence, short and masked."""
    lines = mask_text(run.command, secrets_of(run)).strip().splitlines() or [""]
    short = lines[0][:80]
    return f"“{short}…”" if len(lines) > 1 or len(short) < len(lines[0]) else f"“{short}”"


def settle(run: CommandRun, state: RunState, *, exit_code: int | None = None, message: str = "", actor: Actor = HUB) -> bool:
    """Write the end of a running run; False when somebody has written one already. The fields of `run` follow."""
    with transaction.atomic():
        written = CommandRun.objects.filter(pk=run.pk, state=RunState.RUNNING).update(
            state=state, exit_code=exit_code, message=message, output_bytes=spool.size_of(run), finished_at=timezone.now()
        )
        if written:
            ending = f" with exit code {exit_code}" if exit_code is not None else ""
            record(
                "run.ended",
                actor=actor,
                project=run.project,
                message=f"The command {quoted(run)} {_WORDS[state]}{ending}.",
                run=str(run.id),
                state=str(state),
                exit_code=exit_code,
            )
    run.refresh_from_db()
    return bool(written)


def end_tree(engine: Engine, ref: str, run: CommandRun) -> bool:
    """End every process of the run. True when none is left; a container that is gone or stopped has none."""
    try:
        return engine.execs.kill(ref, run.marker)
    except (NoSuchObject, WrongState):
        return True
    except EngineUnreachable:
        raise
    except EngineError:
        return False
