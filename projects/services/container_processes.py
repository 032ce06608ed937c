"""What runs in a project's container, as `docker top` shows it."""

from projects.engine.base import Process
from projects.engine.errors import NoSuchObject, WrongState
from projects.models import Project
from projects.services.commands.start import running_container
from projects.services.engines import current_engine
from projects.services.errors import ContainerNotRunning


def container_processes(*, project: Project) -> list[Process]:
    """Those that used most CPU first. Raises ContainerNotRunning, ForeignContainer, EngineError."""
    engine = current_engine()
    info = running_container(engine, project)
    try:
        found = engine.containers.processes(info.docker_id)
    except (NoSuchObject, WrongState) as error:
        raise ContainerNotRunning("The project's container stopped meanwhile; ensure that it runs.") from error
    return sorted(found, key=lambda process: (-process.cpu_seconds, process.pid))
