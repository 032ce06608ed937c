"""Who can be reached from where: the hub's own address, and what containers find on their gateway."""

import fcntl
import http.client
import ipaddress
import os
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from projects.engine.base import Engine
from projects.services.doctor.finding import Finding, unknown, warning, well
from projects.services.spec import network_name

LISTEN = "0A"
SIOCGIFADDR = 0x8915
ANSWER_SECONDS = 3
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True)
class Listener:
    """A listening TCP socket of this host; `inode` finds its process."""

    address: Address
    port: int
    inode: int

    @property
    def on_all(self) -> bool:
        return self.address.is_unspecified


def parse_listeners(table: str) -> list[Listener]:
    """From /proc/net/tcp or tcp6: addresses are hex words in the host's byte order, state 0A is LISTEN."""
    found = []
    for line in table.splitlines()[1:]:
        fields = line.split()
        if len(fields) > 9 and fields[3] == LISTEN:
            address, port = fields[1].split(":")
            found.append(Listener(_address(address), int(port, 16), int(fields[9])))
    return found


def _address(text: str) -> Address:
    words = [int(text[i : i + 8], 16) for i in range(0, len(text), 8)]
    whole = ipaddress.ip_address(struct.pack(f"={len(words)}L", *words))
    mapped = whole.ipv4_mapped if isinstance(whole, ipaddress.IPv6Address) else None
    return mapped or whole


def listeners() -> list[Listener]:
    tables = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
    return [listener for table in tables if table.exists() for listener in parse_listeners(table.read_text())]


def hub_answers() -> bool:
    """Whether something that speaks as the hub answers on its port."""
    config = settings.CONTAINERHUB
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(config.host, config.host)  # noqa: S104 - compared, not bound
    line = http.client.HTTPConnection(host, config.port, timeout=ANSWER_SECONDS)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()


def hub_address() -> Iterator[Finding]:
    config = settings.CONTAINERHUB
    mine = [listener for listener in listeners() if listener.port == config.port]
    if not mine:
        yield unknown("port", f"Nothing listens on port {config.port}.", "make up starts the hub there.")
    elif not hub_answers():
        remedy = "End that program, or choose another CONTAINERHUB_PORT."
        yield warning("port", f"Something listens on port {config.port} that does not answer as the hub.", remedy)
    elif any(listener.on_all for listener in mine):
        yield warning(
            "port",
            f"The hub listens on all addresses, port {config.port}: other hosts and every container can try to sign in.",
            "Set CONTAINERHUB_HOST=127.0.0.1 and put a proxy with TLS before it, or close the port to containers in the host's firewall.",
        )
    else:
        yield well("port", f"The hub answers on {config.host}:{config.port} only.")


def reachable_services(engine: Engine) -> Iterator[Finding]:
    """The Engine's bridge ends on this host, so containers reach whatever listens on all its addresses."""
    check = "reachable from containers"
    if not engine.info().is_local:
        yield unknown(check, "The Engine is on another host; look there.")
        return
    gateway = engine.networks.gateway(network_name(settings.CONTAINERHUB))
    open_ones = [one for one in listeners() if one.on_all or str(one.address) == gateway]
    if not open_ones:
        yield well(check, "No service of this host.")
        return
    names = process_names({one.inode for one in open_ones})
    shown = sorted({(one.port, names.get(one.inode, "?")) for one in open_ones})
    bridge = interface_of(gateway) or f"<the bridge of {network_name(settings.CONTAINERHUB)}>"
    yield warning(
        check,
        f"Containers can connect to {', '.join(f'{port} ({name})' for port, name in shown)} on this host.",
        "Bind these to 127.0.0.1, or drop what containers open towards the host: "
        f"iptables -I INPUT -i {bridge} -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP",
    )


def process_names(inodes: Iterable[int]) -> dict[int, str]:
    """The program's name by socket inode, for those whose processes we may look at."""
    wanted = {f"socket:[{inode}]": inode for inode in inodes}
    names: dict[int, str] = {}
    for process in Path("/proc").glob("[0-9]*"):
        for link in _open_files(process) & wanted.keys():
            with suppress(OSError):  # it ended meanwhile
                names[wanted[link]] = (process / "comm").read_text().strip()
    return names


def _open_files(process: Path) -> set[str]:
    """What its descriptors name; less or nothing where it closes some meanwhile, ends, or is somebody else's."""
    found = set()
    with suppress(OSError):
        for number in os.listdir(process / "fd"):
            with suppress(OSError):
                found.add(os.readlink(process / "fd" / number))
    return found


def interface_of(address: str | None) -> str | None:
    """The network interface that has this IPv4 address."""
    if not address:
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _index, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode())
            try:
                answer = fcntl.ioctl(probe.fileno(), SIOCGIFADDR, request)
            except OSError:
                continue  # an interface without an IPv4 address
            if socket.inet_ntoa(answer[20:24]) == address:
                return name
    return None
