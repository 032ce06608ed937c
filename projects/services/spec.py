"""What a project's container is made from: names, labels, and the whole ContainerSpec, without any I/O."""

import hashlib
import json
from dataclasses import asdict
from typing import Protocol

from containerhub.config import Config
from projects.engine.base import ContainerSpec, HealthCheck, Mount
from projects.models import Project

MANAGED_BY = "claude-dev-container"
LABEL_INSTANCE = "io.containerhub.instance"
LABEL_GENERATION = "io.containerhub.generation"
LABEL_SPEC_HASH = "io.containerhub.spec-hash"
RESERVED_VARIABLES = frozenset({"PROJECT_NAME", "PROJECT_PATH", "CLAUDE_CONFIG_DIR", "DISABLE_AUTOUPDATER", "GIT_ASKPASS"})
WORKSPACE = "/workspace"


class Given(Protocol):
    """What the host gives to a container (`services.credentials.prepare`)."""

    @property
    def mounts(self) -> tuple[Mount, ...]: ...
    @property
    def environment(self) -> dict[str, str]: ...


def container_name(project: Project, config: Config) -> str:
    """The one name under which the project's container lives."""
    return f"{config.name_prefix}-{project.slug}"


def old_name(project: Project, config: Config, generation: int) -> str:
    """The name of a predecessor, kept for the way back."""
    return f"{container_name(project, config)}.old-{generation}"


def network_name(config: Config) -> str:
    return f"{config.name_prefix}-net"


def hub_labels(instance: str) -> dict[str, str]:
    """The labels that make a container (or network) one of this hub's."""
    return {"managed_by": MANAGED_BY, LABEL_INSTANCE: instance}


def project_labels(project: Project, instance: str) -> dict[str, str]:
    return {"project_id": project.slug, **hub_labels(instance)}


def build_spec(*, project: Project, config: Config, image: str, given: Given, instance: str, generation: int) -> ContainerSpec:
    """The spec of the project's next container. Memory in bytes; swap equals memory at the Engine's border."""
    environment = {
        "LANG": "C.UTF-8",
        **project.environment,
        **given.environment,
        "PROJECT_NAME": project.name,
        "PROJECT_PATH": WORKSPACE,
        "CLAUDE_CONFIG_DIR": "/home/claude/.claude",
        "DISABLE_AUTOUPDATER": "1",
    }
    spec = ContainerSpec(
        name=container_name(project, config),
        image=image,
        command=("/usr/local/bin/init-project.sh",),
        user="claude",
        working_dir=WORKSPACE,
        environment=environment,
        labels={},
        mounts=(Mount(project.path, WORKSPACE), *given.mounts),
        cpu_limit=project.cpu_limit,
        memory_limit_bytes=project.memory_limit_mb * 1024**2,
        pids_limit=project.pids_limit,
        nofile_soft=1024,
        nofile_hard=2048,
        healthcheck=HealthCheck(test=("CMD", "/usr/local/bin/healthcheck"), start_period_seconds=config.start_period_seconds),
        network=network_name(config),
        cap_drop=("MKNOD", "NET_RAW"),
        hostname=project.slug,
    )
    labels = {
        **project_labels(project, instance),
        "project_name": project.name,
        LABEL_GENERATION: str(generation),
        LABEL_SPEC_HASH: spec_hash(spec),
    }
    return ContainerSpec(**{**vars(spec), "labels": labels})


def spec_hash(spec: ContainerSpec) -> str:
    """SHA-256 over all that the container is made from, so that a change of settings shows as drift."""
    return hashlib.sha256(json.dumps(asdict(spec), sort_keys=True, default=str).encode()).hexdigest()
