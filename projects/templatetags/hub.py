"""What every page of the dashboard is written with: icons, times, badges, sizes."""

from datetime import datetime
from typing import Any

from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from projects.services.exit_codes import exit_words
from projects.states import Health, Status

register = template.Library()

_STEPS = ((60, "s", 1), (3600, "min", 60), (86400, "h", 3600), (float("inf"), "d", 86400))
_DOING = {
    "start": "starting",
    "stop": "stopping",
    "restart": "restarting",
    "refresh": "refreshing",
    "remove": "removing",
}
_ICON_OF = {
    Status.RUNNING: "play",
    Status.EXITED: "square",
    Status.CREATED: "square",
    Status.PAUSED: "pause",
    Status.DEAD: "warning",
    Status.MISSING: "warning",
    Status.UNKNOWN: "question",
    Status.NONE: "dash",
}


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of our sprite; hidden from screen readers, so words stand beside it or in the button's label."""
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>', static("projects/icons.svg"), name)


@register.simple_tag
def ago(when: datetime | None, nothing: str = "never") -> SafeString:
    """How long ago, or how soon; exact on hover and focus. The page's script keeps it true."""
    if when is None:
        return format_html('<span class="muted">{}</span>', nothing)
    exact = when.astimezone(timezone.get_default_timezone())
    title = f"{exact:%Y-%m-%d %H:%M:%S %Z}"
    return format_html('<time datetime="{}" title="{}">{}</time>', when.isoformat(), title, relative(when))


def relative(when: datetime, now: datetime | None = None) -> str:
    """ "5 min ago", "in 3 h". The same words are made by static/projects/times.js."""
    seconds = ((now or timezone.now()) - when).total_seconds()
    size = abs(seconds)
    if size < 10:
        return "now"
    unit, per = next((unit, per) for most, unit, per in _STEPS if size < most)
    text = f"{int(size // per)} {unit}"
    return f"{text} ago" if seconds > 0 else f"in {text}"


@register.simple_tag
def status_badge(project: Any) -> SafeString:
    """Status in words, colour and icon: what is under way, how it ended, or what it is, with its health while it runs."""
    if project.pending_action:
        return badge("starting", f"{_DOING.get(project.pending_action, project.pending_action)}…", "clock")
    words, kind = status_words(project), str(project.status)
    if project.status == Status.RUNNING and project.health in (Health.UNHEALTHY, Health.STARTING):
        return badge(str(project.health), f"{words}, {project.health}", "warning" if project.health == Health.UNHEALTHY else "clock")
    if project.status == Status.RUNNING and project.health == Health.HEALTHY:
        return badge(kind, f"{words}, healthy", "heart")
    return badge(kind, words, _ICON_OF.get(Status(project.status), "dash"))


def badge(kind: str, words: str, icon_name: str) -> SafeString:
    return format_html('<span class="badge {}">{}{}</span>', kind, icon(icon_name), words)


def status_words(project: Any) -> str:
    """ "Exited (137): out of memory" where it ended and the row knows how, else the status."""
    if project.status == Status.NONE:
        return "no container"
    code = getattr(project, "container_exit_code", None)
    if project.status in (Status.EXITED, Status.DEAD) and code is not None:
        return exit_words(code, oom_killed=bool(getattr(project, "container_oom_killed", False)))
    return str(project.status)


@register.filter
def megabytes(value: object) -> str:
    """ "120 MB", "1.5 GB"; "–" where it is not known."""
    if not isinstance(value, int | float):  # what a template cannot find is an empty text
        return "–"
    return f"{value / 1024:.3g} GB" if value >= 1024 else f"{value:.0f} MB"


@register.filter
def short_id(value: str) -> str:
    """The 12 digits by which Docker's own tools name it."""
    return value.removeprefix("sha256:")[:12]


@register.filter
def percent(value: object) -> str:
    return f"{value:.0f} %" if isinstance(value, int | float) else "–"


@register.filter
def hours(value: object) -> str:
    """An age: "40 min", "5 h", "3 d"."""
    if not isinstance(value, int | float):
        return "–"
    if value < 1:
        return f"{value * 60:.0f} min"
    return f"{value:.0f} h" if value < 48 else f"{value / 24:.0f} d"


@register.simple_tag
def sparkline(values: list[float | None], label: str, top: float | None = None) -> SafeString:
    """A line of the last readings, 96 by 24; a gap where one is not known. `top` is the value at its upper edge."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return format_html('<span class="muted">{}</span>', "–")
    most = max([top or 0, *known, 1e-9])
    step = 96 / (len(values) - 1)
    path, pen = [], "M"
    for place, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{place * step:.1f} {23 - 22 * value / most:.1f}")
        pen = "L"
    return format_html('<svg class="spark" viewBox="0 0 96 24" role="img" aria-label="{}"><path d="{}"/></svg>', label, "".join(path))
