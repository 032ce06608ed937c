"""What base.html shows on every page: where one can go, and the page's websocket."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from containerhub import assets
from projects.access import is_administrator
from projects.views.live import is_live

PLACES = (
    ("home", "Projects", "cube", "projects"),
    ("images", "Images", "layers", "images"),
    ("activity", "Activity", "list", "activity"),
    ("system", "System", "gauge", "system"),
    ("account", "Account", "person", "account"),
    ("admin:index", "Admin", "wrench", "admin"),
    ("api:openapi-view", "API", "code", "api"),
)


def page(request: HttpRequest) -> dict[str, Any]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    match = request.resolver_match
    name = (match.url_name if match else "") or ""
    return {
        "navigation": [place for place in map(_place(request, name), PLACES) if place],
        "live_socket": f"/ws/live/?{urlencode({'page': request.get_full_path()})}" if is_live(name) else "",
        "vendor": {"htmx": assets.address("vendor/htmx.js"), "ws": assets.address("vendor/htmx-ws.js")},
    }


def _place(request: HttpRequest, here: str) -> Any:
    user = request.user

    def place(known: tuple[str, str, str, str]) -> dict[str, Any] | None:
        name, words, icon, key = known
        if (name == "admin:index" and not user.is_staff) or (name == "system" and not is_administrator(user)):
            return None
        try:
            address = reverse(name)
        except NoReverseMatch:
            return None
        inside = request.path.startswith(address) if address != "/" else request.path == "/" or request.path.startswith("/projects/")
        return {"address": address, "words": words, "icon": icon, "key": key, "here": inside or here == name}

    return place
