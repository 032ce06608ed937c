"""Activity: who did what, when and with what result; and the actions over several projects."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects.access import visible_batches, visible_events, visible_projects
from projects.consumers.live import Fragments
from projects.services.action_words import WORDS
from projects.services.spreadsheet import csv_lines
from projects.services.trail import CSV_COLUMNS, Page, Search, csv_rows, found_events, kinds, page_of
from projects.states import BatchAction, ItemState
from projects.views.live import live
from projects.views.streams import off_the_loop

PAGE, BATCHES = 50, 50
LARGEST_ID = 2**63 - 1
PROJECTS_OFFERED = 500
FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(9000, 1, 1)


class SearchForm(forms.Form):
    """In the address, so that what is seen can be shared."""

    words = forms.CharField(required=False, max_length=200)
    project = forms.CharField(required=False, max_length=50)
    actor = forms.CharField(required=False, max_length=150)
    kind = forms.CharField(required=False, max_length=40)
    since = forms.DateField(required=False)
    until = forms.DateField(required=False)

    def clean(self) -> dict[str, Any]:
        found: dict[str, Any] = super().clean() or {}
        for name in ("since", "until"):
            day = found.get(name)
            if day is not None and not FIRST_DAY <= day <= LAST_DAY:
                self.add_error(name, "Choose a day of this millennium.")
        return found

    def search(self) -> Search:
        """What is wrong counts as not given; the page says so."""
        self.is_valid()
        return Search(**{name: value for name, value in self.cleaned_data.items() if value})


@login_required
@require_safe
def activity(request: HttpRequest) -> HttpResponse:
    return render(request, "activity/activity.html", _context(request.user, request.GET))


@live("activity")
def fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    return {"activity-events": render_to_string("activity/events.html", _context(user, query))}


@login_required
@require_safe
def as_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All that the same search finds, however many pages that is."""
    rows = csv_rows(found_events(visible_events(request.user), SearchForm(request.GET).search()))
    lines = (line.encode() for line in csv_lines(CSV_COLUMNS, rows))
    response = StreamingHttpResponse(off_the_loop(_together(lines)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="activity-{timezone.localtime():%Y-%m-%d}.csv"'
    response["Cache-Control"] = "no-store"
    return response


@login_required
@require_safe
def batches(request: HttpRequest) -> HttpResponse:
    return render(request, "activity/batches.html", _batches(request.user, request.GET))


@live("batches")
def batch_list(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    return {"activity-batches": render_to_string("activity/batch_list.html", _batches(user, query))}


def _context(user: Any, query: QueryDict) -> dict[str, Any]:
    form = SearchForm(query)
    search = form.search()
    page = page_of(found_events(visible_events(user), search), PAGE, before=_id(query, "before"), after=_id(query, "after"))
    known = kinds()
    slugs = list(visible_projects(user).order_by("slug").values_list("slug", flat=True)[:PROJECTS_OFFERED])
    return {
        "form": form,
        "search": search,
        "kept": urlencode({name: value for name, value in form.cleaned_data.items() if value}),
        "searched": search != Search(),
        "page": page,
        "rows": [(event, json.dumps(event.details, indent=1, ensure_ascii=False) if event.details else "") for event in page.events],
        "kinds": known,
        "nouns": sorted({kind.partition(".")[0] for kind in known}),
        "slugs": slugs,
        "mine": set(visible_projects(user).filter(slug__in={event.project_slug for event in page.events}).values_list("slug", flat=True)),
        "my_batches": _batches_told_of(user, page),
    }


def _batches(user: Any, query: QueryDict) -> dict[str, Any]:
    found = (
        visible_batches(user)
        .order_by("-id")
        .annotate(
            done=Count("items", filter=Q(items__state=ItemState.DONE)),
            failed=Count("items", filter=Q(items__state=ItemState.FAILED)),
            left=Count("items", filter=Q(items__state__in=[ItemState.QUEUED, ItemState.RUNNING])),
        )
    )
    page = Paginator(found, BATCHES).get_page(query.get("page"))
    return {"page": page, "rows": [(batch, WORDS[BatchAction(batch.action)].title) for batch in page]}


def _batches_told_of(user: Any, page: Page) -> set[int]:
    """Those that the reader may open."""
    told = [event.details["batch"] for event in page.events if isinstance(event.details.get("batch"), int)]
    return set(visible_batches(user).filter(pk__in=told).values_list("pk", flat=True)) if told else set()


def _id(query: QueryDict, name: str) -> int | None:
    text = query.get(name, "")
    return min(int(text), LARGEST_ID) if text.isascii() and text.isdecimal() and len(text) < 20 else None


def _together(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Lines in pieces of some kilobytes: each piece costs a step of a thread."""
    waiting = bytearray()
    for line in lines:
        waiting += line
        if len(waiting) >= 1 << 16:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)
