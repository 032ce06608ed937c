"""How the hub reaches the Engine: the address by Docker's own rules, one SDK client per process and thread.

A client made before a fork shares its socket with the child (seen: one broken answer per child), and the SDK promises no
thread safety; so each thread of each process makes its own, at first use.
"""

import os
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import docker
import docker.errors
import requests
from docker.context import ContextAPI
from docker.tls import TLSConfig

from projects.engine.answers import disk_use_of
from projects.engine.base import DiskUse, EngineInfo
from projects.engine.containers import DockerContainers
from projects.engine.errors import EngineUnreachable, Refused
from projects.engine.events import DockerEvents
from projects.engine.execs import DockerExecs
from projects.engine.images import DockerImages
from projects.engine.networks import DockerNetworks
from projects.engine.stats import DockerStats
from projects.engine.translate import checked, translated, unreachable
from projects.engine.transport import UnixAdapter

DEFAULT_URL = "unix:///var/run/docker.sock"
OLDEST_API = (1, 24)
NEWEST_API = (1, 51)
"""Beyond it fields that the SDK reads are gone (API 1.52 dropped parts of events and networks)."""


class Client(docker.APIClient):
    """The SDK's client, which notices when the Engine that came back speaks other versions than the one that went."""

    def __init__(self, forget_version: Callable[[], None], **options: Any) -> None:
        self._forget_version = forget_version
        super().__init__(**options)
        if options["base_url"].startswith("unix://"):
            self.mount("http+docker://", UnixAdapter(options["base_url"].removeprefix("unix://")))

    def _raise_for_status(self, response: requests.Response) -> None:
        if response.status_code == 400 and "client version" in response.text:
            self._forget_version()
            raise EngineUnreachable("The Docker Engine was exchanged for one of another version; try again.")
        checked(response)


class Connection:
    """An address, and this thread's SDK client for it. Nothing is looked up or sent before the first use."""

    def __init__(self, base_url: str | None, timeout_seconds: float) -> None:
        self._given_url = base_url
        self.timeout_seconds = timeout_seconds
        self._local = threading.local()
        self._version = ""
        self._generation = 0

    @cached_property
    def _endpoint(self) -> tuple[str, TLSConfig | None]:
        return (self._given_url, None) if self._given_url else resolve()

    @property
    def base_url(self) -> str:
        """Raises EngineUnreachable when Docker's own settings cannot be read."""
        return self._endpoint[0]

    @property
    def is_local(self) -> bool:
        """The Engine runs on this host, so that paths here are paths there."""
        return self.base_url.startswith("unix://")

    @cached_property
    def tls(self) -> ssl.SSLContext | None:
        """For streams that dial on their own."""
        config = self._endpoint[1]
        if config is None:
            return None
        context = ssl.create_default_context(cafile=config.ca_cert or None)
        if config.verify is False:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        if config.cert:
            context.load_cert_chain(*config.cert)
        return context

    def api_version(self) -> str:
        """Negotiated once: the server's newest, at most NEWEST_API. Raises EngineUnreachable, Refused."""
        if not self._version:
            with self.raw_client("1.24") as client, translated(self.base_url):
                self._version = clamped(str(client.version(api_version=False).get("ApiVersion")))
        return self._version

    def client(self) -> docker.APIClient:
        """This thread's client. Raises EngineUnreachable, Refused."""
        now = (os.getpid(), self._generation)
        known: tuple[tuple[int, int], docker.APIClient] | None = getattr(self._local, "client", None)
        if known is None or known[0] != now:
            version = self.api_version()
            with translated(self.base_url):
                known = self._local.client = (now, self._new_client(version, self.timeout_seconds))
        return known[1]

    @contextmanager
    def raw_client(self, version: str | None = None, timeout_seconds: float | None = None) -> Iterator[docker.APIClient]:
        """A client for one call, with a timeout of its own."""
        with translated(self.base_url):
            client = self._new_client(version or self.api_version(), timeout_seconds or min(self.timeout_seconds, 10))
        try:
            yield client
        finally:
            client.close()

    def ping(self, timeout_seconds: float) -> None:
        """On a connection of its own, without negotiation. Raises EngineUnreachable."""
        with self.raw_client("1.24", timeout_seconds) as client, translated(self.base_url):
            checked(client.get(f"{client.base_url}/_ping", timeout=timeout_seconds))

    def forget_version(self) -> None:
        """The Engine was exchanged for one of other versions: negotiate again, with a new client in every thread."""
        self._version = ""
        self._generation += 1

    def close(self) -> None:
        """Closes this thread's client; the next call makes a new one."""
        known = getattr(self._local, "client", None)
        if known is not None and known[0][0] == os.getpid():
            known[1].close()
        self._local.client = None

    def _new_client(self, version: str, timeout_seconds: float) -> docker.APIClient:
        return Client(
            self.forget_version,
            base_url=self.base_url,
            version=version,
            timeout=timeout_seconds,
            tls=self._endpoint[1] or False,
        )


class DockerEngine:
    """The real Engine behind the protocol of `projects.engine.base`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.containers = DockerContainers(connection)
        self.execs = DockerExecs(connection)
        self.stats = DockerStats(connection)
        self.images = DockerImages(connection)
        self.networks = DockerNetworks(connection)
        self.events = DockerEvents(connection)

    def ping(self, *, timeout_seconds: float = 3) -> None:
        self.connection.ping(timeout_seconds)

    def info(self) -> EngineInfo:
        client = self.connection.client()
        with translated(self.connection.base_url):
            found = client.info()
        return EngineInfo(
            version=found["ServerVersion"],
            api_version=self.connection.api_version(),
            base_url=self.connection.base_url,
            is_local=self.connection.is_local,
            cpus=found["NCPU"],
            memory_bytes=found["MemTotal"],
            root_dir=found["DockerRootDir"],
            storage_driver=found["Driver"],
            cgroup_version=str(found.get("CgroupVersion", "1")),
            operating_system=found["OperatingSystem"],
        )

    def disk_use(self) -> Sequence[DiskUse]:
        client: Any = self.connection.client()
        with translated(self.connection.base_url):
            return disk_use_of(client.df())

    def close(self) -> None:
        self.connection.close()


def connect(*, base_url: str | None = None, timeout_seconds: float = 60) -> DockerEngine:
    """The Engine at `base_url`, or where Docker's own rules say: DOCKER_HOST, else the current context, else the socket."""
    return DockerEngine(Connection(base_url, timeout_seconds))


def resolve() -> tuple[str, TLSConfig | None]:
    """(base URL, TLS) by DOCKER_HOST with DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, by DOCKER_CONTEXT or the CLI's current
    context, or the default socket. Raises EngineUnreachable for a TLS set-up or a context that cannot be read."""
    host = os.environ.get("DOCKER_HOST", "")
    if host:
        return _with_scheme(host), _tls_from_environment(host)
    name = os.environ.get("DOCKER_CONTEXT") or None
    try:
        context = ContextAPI.get_context(name)
    except Exception as error:  # the SDK raises bare ones for a file that it cannot read
        raise EngineUnreachable(f"The Docker context cannot be read ({error}): check `docker context ls`, or set DOCKER_HOST.") from error
    if context is None:
        raise EngineUnreachable(f"The Docker context {name or 'in use'} is missing: check `docker context ls`, or set DOCKER_HOST.")
    if not context.Host or context.Host.startswith("http+unix"):
        return DEFAULT_URL, None
    return _with_scheme(context.Host), context.TLSConfig or None


def _with_scheme(host: str) -> str:
    return host if "://" in host else f"tcp://{host}"


def _tls_from_environment(host: str) -> TLSConfig | None:
    if not os.environ.get("DOCKER_TLS_VERIFY") and not os.environ.get("DOCKER_CERT_PATH"):
        return None
    if host.startswith(("unix://", "ssh://")):
        return None
    folder = os.environ.get("DOCKER_CERT_PATH") or os.path.expanduser("~/.docker")
    try:
        return TLSConfig(
            client_cert=(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem")),
            ca_cert=os.path.join(folder, "ca.pem"),
            verify=bool(os.environ.get("DOCKER_TLS_VERIFY")),
        )
    except docker.errors.TLSParameterError as error:
        raise unreachable(host, error) from error


def clamped(server: str) -> str:
    """min(server, NEWEST_API). Raises Refused for an Engine older than the hub knows."""
    try:
        major, minor = (int(part) for part in server.split("."))
    except ValueError:
        raise Refused(f"The Engine's API version {server!r} is not understood: is it a Docker Engine?") from None
    if (major, minor) < OLDEST_API:
        raise Refused(f"The Docker Engine's API {server} is too old: update Docker to 17.06 or newer.")
    return "{}.{}".format(*min((major, minor), NEWEST_API))
