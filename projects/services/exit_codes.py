"""What an exit code means, in a few words."""

_MEANINGS = {
    0: "ended by itself",
    1: "failed",
    125: "the Engine could not start it",
    126: "its command cannot be run",
    127: "its command was not found",
    130: "interrupted",
    134: "aborted",
    137: "killed",
    139: "segmentation fault",
    143: "stopped",
}


def meaning_of(exit_code: int, *, oom_killed: bool = False) -> str:
    """For example "out of memory" for 137 where the kernel says so; empty for a code that has no meaning of its own."""
    if oom_killed:
        return "out of memory"
    found = _MEANINGS.get(exit_code, "")
    return found or (f"ended by signal {exit_code - 128}" if 128 < exit_code <= 192 else "")


def exit_words(exit_code: int, *, oom_killed: bool = False) -> str:
    """For example "Exited (137): out of memory"."""
    meaning = meaning_of(exit_code, oom_killed=oom_killed)
    return f"Exited ({exit_code})" + (f": {meaning}" if meaning else "")
