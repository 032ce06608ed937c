"""The address where browsers look for an icon of what is no page of ours, such as a plain text."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.templatetags.static import static
from django.views.decorators.http import require_safe


@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    return redirect(static("projects/icon.svg"))
