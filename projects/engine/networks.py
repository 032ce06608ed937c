"""The bridge network of the hub's containers, without traffic between them."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from projects.engine.errors import NameTaken, NoSuchObject
from projects.engine.translate import translated

if TYPE_CHECKING:
    from projects.engine.connection import Connection

ICC = "com.docker.network.bridge.enable_icc"


class DockerNetworks:
    """`Networks` of projects.engine.base."""

    def __init__(self, connection: "Connection") -> None:
        self._connection = connection

    def ensure(self, name: str, *, labels: Mapping[str, str]) -> str:
        found = self._named(name)
        if not found:
            self._create(name, labels)
            found = self._named(name)
        oldest = min(found, key=lambda network: (network["Created"], network["Id"]))
        self._remove_twins(found, oldest)
        if (oldest.get("Options") or {}).get(ICC) != "false":
            raise NameTaken(
                f"The network {name} lets its containers talk to each other: remove it (docker network rm {name}), then try again."
            )
        return str(oldest["Id"])

    def gateway(self, name: str) -> str | None:
        found = self._named(name)
        config = (found[0].get("IPAM") or {}).get("Config") or [] if found else []
        return config[0].get("Gateway") if config else None

    def remove(self, name: str) -> None:
        client = self._connection.client()
        for network in self._named(name):
            try:
                with translated(self._connection.base_url):
                    client.remove_network(network["Id"])
            except NoSuchObject:
                continue

    def _named(self, name: str) -> list[dict[str, Any]]:
        """The Engine matches parts of names, and allows one name twice."""
        client = self._connection.client()
        with translated(self._connection.base_url):
            return [network for network in client.networks(names=[f"^{name}$"]) if network["Name"] == name]

    def _create(self, name: str, labels: Mapping[str, str]) -> None:
        client = self._connection.client()
        try:
            with translated(self._connection.base_url):
                client.create_network(name, driver="bridge", options={ICC: "false"}, labels=dict(labels), check_duplicate=True)
        except NameTaken:
            pass  # another was first

    def _remove_twins(self, found: list[dict[str, Any]], kept: Mapping[str, Any]) -> None:
        """Two creates at the same moment may both succeed; everybody keeps the older, so a younger one has no container yet."""
        client = self._connection.client()
        for network in found:
            if network["Id"] != kept["Id"] and (network.get("Labels") or {}) == (kept.get("Labels") or {}):
                try:
                    with translated(self._connection.base_url):
                        client.remove_network(network["Id"])
                except NoSuchObject:
                    continue
