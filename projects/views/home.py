"""The projects page: every project that one may see, live, those that need somebody first."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.template.loader import render_to_string
from django.views.decorators.http import require_safe

from projects.access import may_create_projects, operable_projects, visible_projects
from projects.consumers.live import Fragments, Rows
from projects.services import beginning
from projects.services.project_search import SORTS, STATUSES, counts, search, with_readings
from projects.views.live import live

PAGE = 50
COLUMNS = (("name", "Project"), ("status", "Status"), ("memory", "Memory"), ("age", "Age"), ("activity", "Last activity"))


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    visible = visible_projects(request.user)
    context = _list(request.user, request.GET) | {
        "counts": counts(visible),
        "statuses": STATUSES,
        "may_create": may_create_projects(request.user),
    }
    if not context["counts"].projects:
        context["checks"] = beginning.checks(request.user)
    return render(request, "dashboard/projects.html", context)


@live("home")
def home_fragments(user: Any, kwargs: dict[str, Any], query: QueryDict) -> Fragments:
    of_all = counts(visible_projects(user))
    if not of_all.projects:
        return {"beginning": render_to_string("dashboard/beginning.html", {"checks": beginning.checks(user)})}
    context = _list(user, query)
    rows = {f"row-{project.slug}": _row(project, context["operable"]) for project in context["projects"]}
    return {
        "counts": render_to_string("dashboard/counts.html", {"counts": of_all}),
        "rows": Rows(f'<tbody id="rows" data-live>{"".join(rows.values())}</tbody>', rows),
    }


def _row(project: Any, operable: set[int]) -> str:
    return render_to_string("dashboard/row.html", {"project": project, "operable": operable})


def _list(user: Any, query: QueryDict) -> dict[str, Any]:
    words, status, sort = query.get("q", "")[:200], query.get("status", ""), query.get("sort", "")
    descending = sort.startswith("-")
    sort = sort.lstrip("-") if sort.lstrip("-") in SORTS else ""
    found = search(visible_projects(user), words=words, status=status, sort=sort, descending=descending)
    page = Paginator(found, PAGE).get_page(query.get("page"))
    projects = with_readings(page)
    return {
        "page": page,
        "projects": projects,
        "operable": operable_projects(user, projects),
        "words": words,
        "status": status if status in STATUSES else "",
        "kept": urlencode({name: value for name, value in (("q", words), ("status", status), ("sort", query.get("sort", ""))) if value}),
        "columns": [_column(name, title, sort, descending, words, status) for name, title in COLUMNS],
    }


def _column(name: str, title: str, sort: str, descending: bool, words: str, status: str) -> dict[str, str]:
    """Pressed once ascending, pressed again descending."""
    here = name == sort
    turned = f"-{name}" if here and not descending else name
    query = urlencode({key: value for key, value in (("q", words), ("status", status), ("sort", turned)) if value})
    return {"name": name, "title": title, "query": query, "sorted": ("descending" if descending else "ascending") if here else ""}
