"""The addresses of the websockets."""

from typing import Any

from channels.routing import URLRouter
from django.urls import re_path

from projects.consumers import CommandsConsumer, TerminalConsumer
from projects.consumers.base import NoSuchSocket
from projects.consumers.origin import OriginCheck

_routes: list[Any] = [
    re_path(r"^ws/projects/(?P<slug>[^/]+)/commands/$", CommandsConsumer.as_asgi()),
    re_path(r"^ws/projects/(?P<slug>[^/]+)/terminal/$", TerminalConsumer.as_asgi()),
    re_path(r"", NoSuchSocket.as_asgi()),
]

websockets: Any = OriginCheck(URLRouter(_routes))
