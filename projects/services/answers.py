"""What a lifecycle use case answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerAnswer:
    """`container_id`: the first 12 hex digits of the docker_id, or None where there is no container."""

    container_id: str | None
    status: str
    created: bool = False
