"""All projects and their containers at a glance, with as few questions to the Engine as will do."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count

from projects.engine.base import ContainerInfo, ContainerSummary, Engine, Usage
from projects.engine.errors import EngineUnreachable
from projects.models import CommandRun, Container, Membership, Project
from projects.services.engines import current_engine
from projects.services.exit_codes import meaning_of
from projects.services.ours import is_ours, our_containers
from projects.services.spec import container_name
from projects.services.usage import Stats, disk_percent, stats_from
from projects.states import Role, RunState, Status

ENDED = (Status.EXITED, Status.DEAD, Status.RESTARTING)


@dataclass(frozen=True)
class FleetRow:
    """One project. `exit_code` and `reason` speak of a container that ended; what is not known is None or empty."""

    project: Project
    exit_code: int | None = None
    reason: str = ""
    created_at: datetime | None = None
    memory_bytes: int | None = None
    commands: int = 0
    owners: tuple[str, ...] = ()

    @property
    def memory_limit_bytes(self) -> int:
        return self.project.memory_limit_mb * 1024**2

    @property
    def status_words(self) -> str:
        """As `docker ps` says it: running; exited (137): out of memory."""
        code = f" ({self.exit_code})" if self.exit_code is not None else ""
        return f"{self.project.status}{code}{f': {self.reason}' if self.reason else ''}"


def look_at_fleet(*, ask_engine: bool = True) -> list[FleetRow]:
    """Every project by slug. Without the Engine (it went away, or `ask_engine` is off) only what the database knows."""
    projects = list(Project.objects.all())
    running = dict(CommandRun.objects.filter(state=RunState.RUNNING).values_list("project").annotate(count=Count("pk")))
    made = dict(Container.objects.filter(removed_at__isnull=True).values_list("docker_id", "created_at"))
    owners: dict[int, list[str]] = {}
    for project_id, name in Membership.objects.filter(role=Role.OWNER).order_by("user__username").values_list("project", "user__username"):
        owners.setdefault(project_id, []).append(name)
    usages, ends = _asked(projects) if ask_engine else ({}, {})
    rows = []
    for project in projects:
        end, usage = ends.get(project.slug), usages.get(project.docker_id)
        rows.append(
            FleetRow(
                project=project,
                exit_code=end.exit_code if end else None,
                reason=end_reason(end) if end else "",
                created_at=made.get(project.docker_id) if project.docker_id else None,
                memory_bytes=usage.memory_bytes if usage else None,
                commands=running.get(project.pk, 0),
                owners=tuple(owners.get(project.pk, ())),
            )
        )
    return rows


def stats_of_fleet(projects: Sequence[Project]) -> list[tuple[Project, Stats | None]]:
    """What their containers use, measured in one sweep; None for one that does not run. Raises EngineUnreachable."""
    engine = current_engine()
    found = {summary.name: summary for summary in our_containers(engine, running_only=True)}
    pairs = [(project, _running(project, found)) for project in projects]
    usages = engine.stats.usages([summary.docker_id for _project, summary in pairs if summary])
    return [(project, _measured(engine, project, summary, usages)) for project, summary in pairs]


def end_reason(info: ContainerInfo) -> str:
    """Why a container ended, in the Engine's words or else in a few of ours."""
    if info.exit_code is None or (info.error and not info.oom_killed):
        return info.error
    return meaning_of(info.exit_code, oom_killed=info.oom_killed)


def _asked(projects: Iterable[Project]) -> tuple[dict[str, Usage], dict[str, ContainerInfo]]:
    """Usage by docker_id of those that run, and by slug how the others ended."""
    engine = current_engine()
    ends = {}
    try:
        usages = engine.stats.usages([p.docker_id for p in projects if p.docker_id and p.status == Status.RUNNING])
        for project in projects:
            if project.docker_id and project.status in ENDED:
                info = engine.containers.inspect(project.docker_id)
                if info is not None:
                    ends[project.slug] = info
    except EngineUnreachable:
        return {}, ends  # whoever looks is told of it by the reconciliation; what is known is shown all the same
    return dict(usages), ends


def _running(project: Project, found: dict[str, ContainerSummary]) -> ContainerSummary | None:
    summary = found.get(container_name(project, settings.CONTAINERHUB))
    return summary if summary is not None and summary.status is Status.RUNNING and is_ours(summary, project) else None


def _measured(engine: Engine, project: Project, summary: ContainerSummary | None, usages: Mapping[str, Usage]) -> Stats | None:
    usage = usages.get(summary.docker_id) if summary else None
    if summary is None or usage is None:
        return None
    return stats_from(summary, usage, disk_percent(engine, project, summary.docker_id))
