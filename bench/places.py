"""Where the bench's own servers listen, and what it leaves on the Engine: nothing."""

import socket

import docker
from django.conf import settings


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def remove_ours() -> None:
    """Containers and the network that bear the prefix of this run."""
    client, prefix = docker.from_env(timeout=300), settings.CONTAINERHUB.name_prefix
    for container in client.containers.list(all=True, ignore_removed=True, filters={"name": f"^/{prefix}-"}):
        container.remove(force=True)
    for network in client.networks.list(names=[f"{prefix}-net"]):
        network.remove()
