"""Where a webhook may lead. A channel that no administrator made must not reach what only the hub can (SSRF).

The name is looked up once, and the connection goes to the address that was checked: a second look-up could say something else.
"""

import ipaddress
import socket
from urllib.parse import SplitResult, urlsplit

from projects.services.errors import BadInput

URL_MOST_CHARACTERS = 2000
_EXAMPLE = "for example https://hooks.example.com/containerhub"
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
PORTS = {"http": 80, "https": 443}

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class NotAllowed(Exception):
    """The address lies in a network that only the hub's administrators may point at."""


def checked_url(url: str, *, any_address: bool) -> str:
    """Its form, and what can be told without a look-up. Raises BadInput."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadInput(f"The webhook's url is none; write {_EXAMPLE}.") from error
    if parts.scheme not in PORTS or not host or port == 0 or not url.isascii() or not url.isprintable() or " " in url:
        raise BadInput(f"The webhook's url begins with http:// or https:// and is plain ASCII, {_EXAMPLE}.")
    if len(url) > URL_MOST_CHARACTERS:
        raise BadInput(f"The webhook's url has more than {URL_MOST_CHARACTERS} characters; use a shorter one.")
    if "@" in parts.netloc or parts.fragment:
        raise BadInput("The webhook's url holds a user name or a fragment, which are not sent; leave them out.")
    literal = _literal(host)
    private = host == "localhost" or host.endswith(".localhost") or (literal is not None and not is_public(literal))
    if private and not any_address:
        raise BadInput("The webhook's url leads into the hub's own network; an administrator has to make this channel.")
    return url


def address_of(parts: SplitResult, *, any_address: bool) -> str:
    """The address to connect to. Raises NotAllowed, and OSError where the name is not known."""
    found = socket.getaddrinfo(parts.hostname, parts.port or PORTS[parts.scheme], type=socket.SOCK_STREAM)
    addresses = [str(info[4][0]) for info in found]
    if not any_address and not all(is_public(ipaddress.ip_address(address.partition("%")[0])) for address in addresses):
        raise NotAllowed
    return addresses[0]


def is_public(address: Address) -> bool:
    """Neither loopback, link-local, private nor reserved, nor an IPv6 form that carries such an IPv4 address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address in _NAT64 or address.sixtofour is not None or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
