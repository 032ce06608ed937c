"""The addresses of the websockets."""

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from projects.consumers import CommandsConsumer, TerminalConsumer
from projects.consumers.live import LiveConsumer
from projects.consumers.no_such import NoSuchSocket
from projects.consumers.origin import OriginCheck
from projects.views.live import fragments

_routes: list[Any] = [
    re_path(r"^ws/projects/(?P<slug>[^/]+)/commands/$", CommandsConsumer.as_asgi()),
    re_path(r"^ws/projects/(?P<slug>[^/]+)/terminal/$", TerminalConsumer.as_asgi()),
    re_path(r"^ws/live/$", LiveConsumer.showing(fragments)),
    re_path(r"", NoSuchSocket.as_asgi()),
]

websockets: Any = OriginCheck(URLRouter(_routes))
