"""Which pages are live, and what of them: fragments by the id of the element that they stand for.

A page includes the same templates that its fragments are rendered from, so both always say the same.
"""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.http import Http404, QueryDict
from django.urls import Resolver404, resolve

from projects.access import Stranger
from projects.consumers.live import Fragments

Page = Callable[[Any, dict[str, Any], QueryDict], Fragments]

_pages: dict[str, Page] = {}


def live(url_name: str) -> Callable[[Page], Page]:
    """Registers `page(user, kwargs, query)`. It authorises first: raises Stranger or Http404 for one who may not look."""

    def register(page: Page) -> Page:
        _pages[url_name] = page
        return page

    return register


def is_live(url_name: str) -> bool:
    return url_name in _pages


def fragments(user: Any, address: str) -> Fragments:
    """Of the page at this path, with its query. Raises Stranger where there is none for this user."""
    parts = urlsplit(address)
    try:
        match = resolve(parts.path)
        page = _pages[match.url_name or ""]
        return page(user, match.kwargs, QueryDict(parts.query))
    except (Resolver404, KeyError, Http404) as error:
        raise Stranger("There is nothing live at this address, or it is no longer yours; reload the page.") from error
