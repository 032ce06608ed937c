"""Ends every process that bears an exec's marker; the Engine itself has no way to kill an exec.

A shell in the container does it with builtins alone, since nothing can fork at the pid limit. It runs as `claude`
first and as root after: root in a container lacks SYS_PTRACE and cannot read other users' environments,
while what sudo started is root's own.
"""

import contextlib
import re
import time
from collections.abc import Callable

from projects.engine.base import MARKER_VARIABLE, ExecOutcome, ExecSpec
from projects.engine.cgroups import BLANK_SECONDS, find, signal_bearers
from projects.engine.errors import EngineError, EngineUnreachable, NoSuchObject, WrongState
from projects.engine.exec_calls import ExecConnection, full_id
from projects.states import Stream

ROUNDS = 5
ATTEMPTS = 4
SCAN_TIMEOUT_SECONDS = 20
LOOK_SECONDS = 0.2

SCRIPT = r"""
marker=$1 signal=$2 found=0 again=1 blank=0
declare -A seen parents blanks
bears() { # also sets blank, when the environment shows nothing yet
    local entries entry
    blank=0
    { mapfile -d '' -t entries < "/proc/$1/environ"; } 2>/dev/null || return 1
    [ "${#entries[@]}" -gt 0 ] || blank=1
    for entry in "${entries[@]}"; do [ "$entry" = "$marker" ] && return 0; done
    return 1
}
look() { # state and parent of process $1
    local line
    { read -r -d '' line < "/proc/$1/stat"; } 2>/dev/null
    read -r state parent line <<< "${line##*) }"
}
while [ "$again" = 1 ]; do
    [ "$SECONDS" -lt 10 ] || break
    again=0
    for folder in /proc/[0-9]*; do
        pid=${folder#/proc/}
        [ "$pid" = "$$" ] && continue
        [ -n "${seen[$pid]}" ] && continue
        if bears "$pid"; then
            if [ "$signal" = KILL ]; then
                again=1
                kill -STOP "$pid" 2>/dev/null || continue
                look "$pid"
                [ "${parent:-0}" -gt 1 ] && parents[$parent]=1
            fi
            seen[$pid]=1 found=$((found + 1))
        elif [ ! -d "$folder" ]; then
            again=1
        elif [ "$blank" = 1 ]; then
            : "${blanks[$pid]:=$((${EPOCHREALTIME/./} + BLANK_MICROSECONDS))}"
            [ "${EPOCHREALTIME/./}" -lt "${blanks[$pid]}" ] && look "$pid" && [ "$state" != Z ] && again=1
        fi
    done
    [ "$signal" != KILL ] && [ "$found" -gt 0 ] && again=0
done
if [ "$signal" != 0 ]; then
    for pid in "${!seen[@]}"; do kill "-$signal" "$pid" 2>/dev/null; done
    for pid in "${!seen[@]}"; do kill -CONT "$pid" 2>/dev/null; done
fi
waking=1 until=$((${EPOCHREALTIME/./} + 500000))
while [ "$waking" = 1 ] && [ "${EPOCHREALTIME/./}" -lt "$until" ]; do
    waking=0
    for pid in "${!parents[@]}"; do
        [ -n "${seen[$pid]}" ] && continue
        state=''
        look "$pid"
        [ -n "$state" ] && [ "$state" != Z ] && waking=1
        [ "$state" = T ] && kill -CONT "$pid" 2>/dev/null
    done
done
[ "$again" = 0 ] || [ "$found" -gt 0 ] || found=unsure
echo "found $found"
""".replace("BLANK_MICROSECONDS", str(round(BLANK_SECONDS * 1_000_000)))
# Before KILL all are stopped, until a pass finds nothing new: a stopped process keeps its place under the pid limit,
# so a fork bomb runs out of places instead of refilling those that the signal has freed. (Seen: with the signal
# alone 200 of them outran the shell for minutes.) sudo stops itself when its command is stopped, and its own
# environment can be read by nobody here: so parents that bear no marker are woken until they have gone.
# A pass in which a process vanished before it was looked at proves nothing, since it may have forked: look again.
# So does an empty environment (BLANK_SECONDS).

PLAIN_SCRIPT = r"""
found=0
for folder in /proc/[0-9]*; do
    pid=${folder#/proc/}
    [ "$pid" = "$$" ] && continue
    grep -qzxF -- "$1" "$folder/environ" 2>/dev/null || continue
    found=$((found + 1))
    [ "$2" = 0 ] || kill "-$2" "$pid" 2>/dev/null
done
echo "found $found"
"""
# For images without bash. It forks, so it cannot help at the pid limit.

Run = Callable[..., ExecOutcome]
_FOUND = re.compile(r"found (\d+)\n")


class _Answered(Exception):
    pass


class Killer:
    """One kill of one marker in one container."""

    def __init__(self, connection: ExecConnection, run: Run, ref: str, marker: str) -> None:
        self._connection = connection
        self._run = run
        self._ref = ref
        self._entry = f"{MARKER_VARIABLE}={marker}"
        self._shell = ("bash", SCRIPT)
        self._users = ["claude", "root"]

    def kill(self, grace_seconds: float) -> bool:
        """TERM, grace, then KILL until a scan is empty. True also for a container that does not run."""
        try:
            if self._signal("TERM") == 0 or self._gone_within(grace_seconds):
                return True
            for turn in range(ROUNDS):
                self._signal("KILL")
                if turn:
                    self._signal_from_host("KILL")
                if self._gone_within(1):
                    return True
        except (NoSuchObject, WrongState):
            return True
        return False

    def _gone_within(self, seconds: float) -> bool:
        until = time.monotonic() + seconds
        while True:
            if self._signal("0") == 0:
                return True
            left = until - time.monotonic()
            if left <= 0:
                return False
            time.sleep(min(LOOK_SECONDS, left))

    def _signal(self, signal: str) -> int | None:
        """How many bore the marker and were sent `signal` ("0" only counts); None when nobody could look."""
        counts = [self._as_user(user, signal) for user in list(self._users)]
        if None not in counts:
            return sum(count or 0 for count in counts)
        return self._signal_from_host(signal)

    def _signal_from_host(self, signal: str) -> int | None:
        """The last resort, where no process can be added to the container and its processes are this host's too."""
        if not self._connection.is_local:
            return None
        files = find(full_id(self._connection, self._ref))
        return signal_bearers(files, self._entry, signal) if files else None

    def _as_user(self, user: str, signal: str) -> int | None:
        """One scan as one user, tried again where the container is too full to take another process."""
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(0.05 * attempt)
            try:
                said = self._scan(user, signal)
            except (NoSuchObject, WrongState, EngineUnreachable):
                raise
            except EngineError as error:
                said = str(error)
            if match := _FOUND.search(said):
                return int(match[1])
            if "unable to find user" in said:
                # The image has no `claude`: its processes are those of the container's configured user.
                self._users[self._users.index(user)] = user = ""
            elif "executable file not found" in said and self._shell[0] == "bash":
                self._shell = ("sh", PLAIN_SCRIPT)
        return None

    def _scan(self, user: str, signal: str) -> str:
        """What the shell said. Its last line is answer enough: the Engine reports the end of an exec up to 2 s late, when
        another one of the container has just ended and left its output open."""
        said = bytearray()

        def keep(stream: Stream, data: memoryview) -> None:
            said.extend(data[:4096])
            if _FOUND.search(said.decode("utf-8", "replace")):
                raise _Answered

        spec = ExecSpec((self._shell[0], "-c", self._shell[1], "kill", self._entry, signal), user=user, working_dir="/")
        with contextlib.suppress(_Answered):
            self._run(self._ref, spec, sink=keep, timeout_seconds=SCAN_TIMEOUT_SECONDS)
        return said.decode("utf-8", "replace")
