"""What a list of projects shows beside their rows, asked for all of them at once: no query and no Engine call per row."""

from collections.abc import Iterable, Mapping

import structlog
from django.db.models import Count, DateTimeField, IntegerField, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce

from projects.engine.base import Usage
from projects.engine.errors import EngineError
from projects.models import CommandRun, Container, Event, Instance, Membership, Project
from projects.services.engines import current_engine
from projects.states import Role, RunState, Status

PING_SECONDS = 1

log = structlog.get_logger(__name__)


def with_surroundings(projects: QuerySet[Project]) -> QuerySet[Project]:
    """Adds to each row `container_created_at`, `container_exit_code`, `container_oom_killed`, `running_commands`,
    `last_activity_at` (its newest event), and `owner_memberships` with their users."""
    container = Container.objects.filter(docker_id=OuterRef("docker_id")).exclude(docker_id="")
    running = CommandRun.objects.filter(project=OuterRef("pk"), state=RunState.RUNNING).order_by().values("project")
    event = Event.objects.filter(project_slug=OuterRef("slug"), at__gte=OuterRef("created_at")).order_by("-id")
    owners = Membership.objects.filter(role=Role.OWNER).select_related("user").order_by("user__username")
    return projects.annotate(
        container_created_at=Subquery(container.values("created_at")[:1], output_field=DateTimeField()),
        container_exit_code=Subquery(container.values("exit_code")[:1]),
        container_oom_killed=Subquery(container.values("oom_killed")[:1]),
        running_commands=Coalesce(Subquery(running.annotate(n=Count("pk")).values("n")[:1], output_field=IntegerField()), 0),
        last_activity_at=Subquery(event.values("at")[:1], output_field=DateTimeField()),
    ).prefetch_related(Prefetch("memberships", queryset=owners, to_attr="owner_memberships"))


def usage_of_many(projects: Iterable[Project]) -> Mapping[str, Usage]:
    """What the running ones use now, by docker_id; one sweep. Empty while the Engine is not to be reached."""
    ids = [project.docker_id for project in projects if project.status == Status.RUNNING and project.docker_id]
    if not ids or Instance.objects.filter(engine_reachable=False).exists():
        return {}
    engine = current_engine()
    try:
        engine.ping(timeout_seconds=PING_SECONDS)
        return engine.stats.usages(ids)
    except EngineError as error:
        log.warning("project_list.no_usage", error=str(error), cause=repr(error.__cause__))
        return {}
