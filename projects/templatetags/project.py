"""What only the pages of a project are written with: measures, how runs and decisions are told."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from projects.services.exit_codes import meaning_of
from projects.states import RunState, Verdict
from projects.templatetags.hub import badge, megabytes, percent

register = template.Library()

_RUN_BADGES = {
    RunState.RUNNING: ("starting", "running", "clock"),
    RunState.TIMED_OUT: ("missing", "timed out", "clock"),
    RunState.KILLED: ("missing", "killed", "cross"),
    RunState.KILL_FAILED: ("dead", "kill failed", "warning"),
    RunState.OUTPUT_LIMIT: ("missing", "output limit", "warning"),
    RunState.OUT_OF_MEMORY: ("dead", "out of memory", "warning"),
    RunState.CONNECTION_LOST: ("dead", "connection lost", "question"),
    RunState.INTERRUPTED: ("missing", "interrupted", "warning"),
    RunState.FAILED: ("dead", "never started", "cross"),
}
_VERDICT_BADGES = {
    Verdict.KEEP: ("running", "check"),
    Verdict.WAIT: ("starting", "clock"),
    Verdict.RESTART: ("missing", "restart"),
    Verdict.REFRESH: ("missing", "refresh"),
    Verdict.HOLD: ("dead", "warning"),
}


@register.filter
def measured(value: object, unit: str) -> str:
    """ "12 %", "120 MB", "3.4 kB/s"; "–" where it is not known. The same words are made by static/projects/project/measures.js."""
    if unit == "percent":
        return percent(value)
    if unit == "megabytes":
        return megabytes(value)
    if not isinstance(value, int | float):
        return "–"
    if unit == "rate":
        return f"{value / 1024:.1f} MB/s" if value >= 1024 else f"{value:.1f} kB/s"
    return f"{value:.0f}"


@register.simple_tag
def run_badge(run: Any) -> SafeString:
    """How it ended, in words and with its exit code."""
    if run.state == RunState.FINISHED:
        code = run.exit_code
        if code == 0:
            return badge("running", "done", "check")
        meaning = meaning_of(code)
        return badge("dead", f"exit {code}" + (f": {meaning}" if meaning else ""), "cross")
    kind, words, icon = _RUN_BADGES[RunState(run.state)]
    return badge(kind, words if run.exit_code is None else f"{words}, exit {run.exit_code}", icon)


@register.simple_tag
def verdict_badge(decision: Any) -> SafeString:
    kind, icon = _VERDICT_BADGES[Verdict(decision.verdict)]
    return badge(kind, decision.verdict, icon)


@register.filter
def lasted(seconds: object) -> str:
    """ "0.4 s", "12 s", "3 min 20 s", "2 h 5 min"; "–" where it is not known."""
    if not isinstance(seconds, int | float):
        return "–"
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
