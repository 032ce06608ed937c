"""What a project's container printed."""

from django.conf import settings

from projects.engine.errors import NoSuchObject
from projects.models import Project
from projects.services.engines import current_engine
from projects.services.errors import NotFound
from projects.services.ours import demand_ours
from projects.services.spec import container_name


def container_logs(*, project: Project, tail: int) -> bytes:
    """Its last `tail` lines, stdout and stderr in order. Raises NotFound where there is no container, ForeignContainer."""
    engine = current_engine()
    missing = f"The project {project.slug} has no container: ensure it first."
    info = engine.containers.inspect(container_name(project, settings.CONTAINERHUB))
    if info is None:
        raise NotFound(missing)
    demand_ours(info, project)
    try:
        return engine.containers.logs(info.docker_id, tail=tail)
    except NoSuchObject as error:
        raise NotFound(missing) from error
