"""Bridge networks whose containers cannot reach each other."""

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from projects.engine.errors import NameTaken, NoSuchObject, Refused, WrongState
from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

ICC = "com.docker.network.bridge.enable_icc"


class DockerNetworks:
    """`Networks` of projects.engine.base. The Engine allows two networks of one name; the oldest is the one that counts."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def ensure(self, name: str, *, labels: Mapping[str, str]) -> str:
        found = self._named(name)
        if not found:
            self._create(name, labels)
            found = self._named(name)
        if not found:
            raise WrongState(f"The network {name} was removed while it was made; try again.")
        oldest, *twins = found
        self._remove_twins(twins, labels)
        if oldest.get("Driver") != "bridge" or (oldest.get("Options") or {}).get(ICC) != "false":
            raise NameTaken(
                f"The network {name} lets its containers talk to each other: remove it (docker network rm {name}), then try again."
            )
        return str(oldest["Id"])

    def gateway(self, name: str) -> str | None:
        for network in self._named(name)[:1]:
            for pool in (network.get("IPAM") or {}).get("Config") or []:
                if pool.get("Gateway"):
                    return str(pool["Gateway"])
        return None

    def remove(self, name: str) -> None:
        """Quiet when there is none. Raises WrongState while a container is attached."""
        for network in self._named(name):
            self._remove(network["Id"])

    def _named(self, name: str) -> list[dict[str, Any]]:
        """All of exactly that name (the Engine also answers for a part of it), the oldest first."""
        client = self._connection.client()
        with translated(self._connection.base_url):
            found: list[dict[str, Any]] = client.networks(names=[name])
        return sorted((network for network in found if network["Name"] == name), key=lambda network: (network["Created"], network["Id"]))

    def _create(self, name: str, labels: Mapping[str, str]) -> None:
        """Quiet when another was first."""
        client = self._connection.client()
        with suppress(NameTaken), translated(self._connection.base_url):
            client.create_network(name, driver="bridge", options={ICC: "false"}, labels=dict(labels), check_duplicate=True)

    def _remove_twins(self, twins: list[dict[str, Any]], labels: Mapping[str, str]) -> None:
        """Two creates at the same moment may both succeed. Everybody uses the oldest; only one with these very labels is ours
        to remove, and one in use goes when it is not."""
        for network in twins:
            if (network.get("Labels") or {}) == dict(labels):
                with suppress(WrongState):
                    self._remove(network["Id"])

    def _remove(self, network_id: str) -> None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                client.remove_network(network_id)
        except NoSuchObject:
            return
        except Refused as error:
            if "active endpoints" not in str(error):
                raise
            raise WrongState(f"The network is still in use: {error}") from error
