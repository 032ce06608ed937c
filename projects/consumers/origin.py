"""Whose pages may open our sockets: only those of the very address that was asked, scheme, host and port.

Channels' own validators look at the host alone: a page that a container serves on another port of it would pass.
"""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http.request import split_domain_port, validate_host

_SCHEMES = {"ws": "http", "wss": "https"}
_PORTS = {"http": 80, "https": 443}

Application = Any


class OriginCheck:
    """Middleware: HTTP 403 in the handshake where the Origin is missing, foreign, or not an allowed host."""

    def __init__(self, inner: Application) -> None:
        self._inner = inner

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not is_own_origin(scope):
            await receive()
            await send({"type": "websocket.close", "code": 4403})
            return
        await self._inner(scope, receive, send)


def is_own_origin(scope: dict[str, Any]) -> bool:
    hosts, origins = _headers(scope, b"host"), _headers(scope, b"origin")
    if len(hosts) != 1 or len(origins) != 1:
        return False
    scheme = _SCHEMES.get(scope.get("scheme", "ws"), "")
    asked = _address(f"{scheme}://{hosts[0]}")
    host, _port = split_domain_port(hosts[0].lower())
    return asked is not None and asked == _address(origins[0]) and validate_host(host, settings.ALLOWED_HOSTS)


def _headers(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _address(url: str) -> tuple[str, str, int] | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or not parts.hostname or parts.path or parts.query or parts.fragment or "@" in parts.netloc:
        return None
    return parts.scheme, parts.hostname, port or _PORTS[parts.scheme]
