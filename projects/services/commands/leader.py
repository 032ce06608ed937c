"""What runs in the container for a command run: its leader, and the file in which the leader leaves its exit code."""

import posixpath
import re
from dataclasses import dataclass

from projects.engine.base import MARKER_VARIABLE, Engine, ExecSpec
from projects.models import CommandRun
from projects.services.asking import ask
from projects.services.spec import WORKSPACE

RUNS_DIR = "/run/containerhub/runs"

# The leader's own stderr is closed after `cd`, or bash would report there that its child was killed. Its exit code goes
# to the file in one write of builtins only, so that it is written at the pid limit too; a line without its newline does
# not count. Next to a 137 stands "oom" when the container's out-of-memory counter rose meanwhile (cgroup v2 or v1).
SCRIPT = r"""
cd -- "$1" 2>/dev/null || {
  printf 'The working directory %s cannot be entered in the container; choose one that exists there.\n' "$1" >&2
  exit 1
}
exec 9>&2 2>/dev/null
ooms() {
  local key count file
  for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
    while read -r key count; do [[ $key == oom_kill ]] && { ooms=$count; return; }; done <"$file"
  done
  ooms=0
}
ooms; before=$ooms
bash -c "$2" 2>&9 9>&-
code=$?
note=
[[ $code == 137 ]] && { ooms; (( ooms > before )) && note=' oom'; }
[[ -d /run/containerhub/runs ]] || mkdir -p /run/containerhub/runs
printf '%s\n' "$code$note" >"/run/containerhub/runs/$3"
exit "$code"
"""

_PROBE = r"""
{ read -r line <"/run/containerhub/runs/$1" && printf 'exit %s\n' "$line" && exit; } 2>/dev/null
for file in /proc/[0-9]*/environ; do
  while IFS= read -r -d '' entry; do
    [[ $entry == "$2=$1" ]] && { printf 'alive\n'; exit; }
  done <"$file"
done 2>/dev/null
printf 'gone\n'
"""

_ANSWER = re.compile(rb"^exit (\d{1,3})( oom)?\n$")
_NOT_STARTED = re.compile(rb"^(?:OCI runtime exec failed|unable to find user|no such user)[^\n]*")


@dataclass(frozen=True)
class Remains:
    """What the container says of a run whose stream is lost. `exit_code` only from the leader's own file."""

    exit_code: int | None = None
    out_of_memory: bool = False
    alive: bool = False


def exec_spec(run: CommandRun, environment: dict[str, str]) -> ExecSpec:
    """The exec of a run: the Engine enters the workspace, the shell inside the wanted directory (CVE-2024-21626)."""
    return ExecSpec(
        command=("bash", "-c", SCRIPT, "hub", run.workdir, run.command, run.marker),
        user="claude",
        working_dir=WORKSPACE,
        environment={**environment, MARKER_VARIABLE: run.marker},
    )


def remains_of(engine: Engine, ref: str, run: CommandRun) -> Remains | None:
    """Ask the container. None when it gave no answer in time. Raises EngineError as an exec does."""
    answer = ask(engine, ref, ("bash", "-c", _PROBE, "hub", run.marker, MARKER_VARIABLE))
    if answer.exit_code != 0:
        return None
    found = _ANSWER.match(answer.stdout)
    if found:
        return Remains(exit_code=int(found[1]), out_of_memory=bool(found[2]))
    return Remains(alive=answer.stdout == b"alive\n")


def workdir_sentence(run: CommandRun) -> str:
    """What the leader prints, and nothing else, when it cannot enter the working directory."""
    return f"The working directory {run.workdir} cannot be entered in the container; choose one that exists there."


def failed_start(run: CommandRun, exit_code: int | None, stdout: bytes, stderr: bytes) -> str:
    """The sentence for a command that never started, from its exit code and the first bytes of its output; else empty."""
    if exit_code == 1 and not stdout and stderr == workdir_sentence(run).encode() + b"\n":
        return workdir_sentence(run)
    found = _NOT_STARTED.match(stdout) or _NOT_STARTED.match(stderr)
    if exit_code not in (126, 127) or not found:
        return ""
    reason = found[0].decode(errors="replace")
    if "executable file not found" in reason:
        return "This image has no bash, which commands run with; install bash in the image, or choose another image."
    return f"The command could not be started ({reason}); check the project's image, or refresh the container."


def is_safe_workdir(path: str) -> bool:
    """Absolute, short, without NUL, and not in the kernel's file systems."""
    if not path.startswith("/") or "\0" in path or len(path) > 1000:
        return False
    top = posixpath.normpath(path).lstrip("/").split("/")[0]
    return top not in ("proc", "sys", "dev")
