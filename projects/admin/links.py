"""From one row to its neighbours, and how times and states look in lists."""

from datetime import datetime, timedelta

from django.db.models import Model
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

NOTHING = "–"


def link_to(row: Model | None, text: object = "") -> str:
    """To the row's own page; its `str()` where no text is given."""
    return link_to_pk(type(row), row.pk, text or row) if row is not None else NOTHING


def link_to_pk(model: type[Model], pk: object, text: object) -> SafeString:
    meta = model._meta
    return format_html('<a href="{}">{}</a>', reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[pk]), text)


def link_to_list(model: type[Model], text: object, **chosen: str | int) -> SafeString:
    """To the list of these rows only."""
    meta = model._meta
    place = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return format_html('<a href="{}?{}">{}</a>', place, urlencode(chosen), text)


def badge(word: str, text: str = "") -> SafeString:
    """The state as text and colour."""
    return format_html('<span class="badge {}">{}</span>', word, text or word.replace("_", " "))


def ago(then: datetime | None) -> str:
    """Relative, with the exact time on hover."""
    if then is None:
        return NOTHING
    return _dated(then, "just now" if _is_fresh(then) else f"{timesince(then, depth=1)} ago")


def age(since: datetime | None) -> str:
    if since is None:
        return NOTHING
    return _dated(since, "under a minute" if _is_fresh(since) else timesince(since, depth=1))


def _is_fresh(then: datetime) -> bool:
    return timezone.now() - then < timedelta(minutes=1)


def _dated(then: datetime, text: str) -> SafeString:
    exact = timezone.localtime(then)
    return format_html('<time datetime="{}" title="{}">{}</time>', exact.isoformat(), f"{exact:%Y-%m-%d %H:%M:%S %Z}", text)
