"""The first page: the projects that one may see, and how their containers stand."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from projects.access import may_create_projects, visible_projects

PAGE = 100


@login_required
def home(request: HttpRequest) -> HttpResponse:
    page = Paginator(visible_projects(request.user), PAGE).get_page(request.GET.get("page"))
    return render(request, "home.html", {"page": page, "may_create": may_create_projects(request.user)})
