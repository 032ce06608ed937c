"""What the plan did, for comparison: the SDK's high-level calls, `tail -f` as PID 1, stats one after the other."""

from typing import Any

import docker


def create(client: docker.DockerClient, *, image: str, name: str, workspace: str) -> Any:
    container = client.containers.create(
        image,
        ["tail", "-f", "/dev/null"],
        name=name,
        volumes={workspace: {"bind": "/workspace", "mode": "rw"}},
        working_dir="/workspace",
        user="claude",
        mem_limit="8g",
        cpu_period=100000,
        cpu_quota=400000,
        pids_limit=1000,
        healthcheck={"test": ["CMD", "/usr/local/bin/healthcheck"], "interval": 60 * 10**9, "timeout": 10 * 10**9, "retries": 3},
    )
    container.start()
    return container


def stream(client: docker.DockerClient, container: Any, command: list[str]) -> int:
    """The plan's `stream_command`; bytes seen. (Its `execute_command` joins the output piece by piece: 200 MB take minutes.)"""
    made = client.api.exec_create(container.id, cmd=command, workdir="/workspace", user="claude")
    pieces = client.api.exec_start(made["Id"], stream=True, demux=True)
    return sum(len(out or b"") for out, _err in pieces)


def stop(container: Any) -> None:
    container.stop(timeout=10)
    container.remove()


def refresh(client: docker.DockerClient, container: Any, **how: str) -> Any:
    stop(container)
    return create(client, **how)


def stats(containers: list[Any]) -> list[Any]:
    return [container.stats(stream=False) for container in containers]


def check(containers: list[Any]) -> list[tuple[Any, Any]]:
    """The plan's health round: statistics that wait for a second reading, then `df` by an exec, one container after the other."""
    return [(container.stats(stream=False), container.exec_run(["df", "/workspace"])) for container in containers]
