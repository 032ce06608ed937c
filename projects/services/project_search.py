"""Projects as one looks for them: by words and status, in an order, those that need somebody first, with their readings."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.utils import timezone

from projects.models import Decision, Project, Sample
from projects.services.project_list import with_surroundings
from projects.states import Health, Status, Verdict, Wanted

SPARK_SPAN = timedelta(hours=1)
FRESH = timedelta(minutes=3)
"""A reading older than this is no reading of now: the sweep comes each minute."""

STATUSES = {
    "attention": "Needs you",
    "running": "Running",
    "stopped": "Stopped",
    "none": "No container",
    "unknown": "Unknown or missing",
}
SORTS = {
    "attention": ("attention", "slug"),
    "name": ("name", "slug"),
    "status": ("status", "slug"),
    "age": ("container_created_at", "slug"),
    "memory": ("memory_now", "slug"),
    "activity": ("last_activity_at", "slug"),
}

NEEDS_SOMEBODY = (
    Q(status__in=[Status.MISSING, Status.UNKNOWN, Status.DEAD, Status.RESTARTING])
    | Q(status=Status.RUNNING, health=Health.UNHEALTHY)
    | Q(status=Status.EXITED, wanted=Wanted.RUNNING)
    | ~Q(last_error="")
)


@dataclass(frozen=True)
class Counts:
    """Over all projects that one may see. `cpu_percent` counts 100 per core; both sums are of readings not older than three minutes."""

    projects: int
    running: int
    cpu_percent: float | None
    memory_mb: float | None
    attention: int


@dataclass(frozen=True, slots=True)
class Reading:
    """What a container used at that moment; null is unknown."""

    at: datetime
    cpu_percent: float | None
    memory_mb: float
    memory_percent: float | None
    disk_percent: float | None
    layer_mb: float | None


def counts(projects: QuerySet[Project]) -> Counts:
    found = projects.aggregate(
        all=Count("pk", distinct=True),
        running=Count("pk", distinct=True, filter=Q(status=Status.RUNNING)),
        attention=Count("pk", distinct=True, filter=NEEDS_SOMEBODY),
    )
    recent = Sample.objects.filter(span_seconds=0, at__gt=timezone.now() - FRESH, project__in=projects.filter(status=Status.RUNNING))
    newest = Sample.objects.filter(span_seconds=0, project=OuterRef("project")).order_by("-at").values("pk")[:1]
    used = recent.filter(pk=Subquery(newest)).aggregate(cpu=Sum("cpu_percent"), memory=Sum("memory_mb"))
    return Counts(found["all"], found["running"], used["cpu"], used["memory"], found["attention"])


def search(projects: QuerySet[Any], *, words: str = "", status: str = "", sort: str = "", descending: bool = False) -> QuerySet[Any]:
    """Unknown values of `status` and `sort` count as none: every project, those that need somebody first."""
    found = _with_decision(with_surroundings(projects)).annotate(
        attention=Case(When(NEEDS_SOMEBODY | Q(decided=Verdict.HOLD), then=Value(0)), default=Value(1), output_field=IntegerField())
    )
    for word in words.replace("\0", "").split()[:10]:
        found = found.filter(Q(name__icontains=word) | Q(slug__icontains=word) | Q(path__icontains=word) | Q(image__icontains=word))
    found = found.filter(_FILTERS.get(status, Q()))
    order = SORTS.get(sort, SORTS["attention"])
    if sort == "memory":
        newest = Sample.objects.filter(project=OuterRef("pk"), span_seconds=0, at__gt=timezone.now() - FRESH).order_by("-at")
        found = found.annotate(memory_now=Subquery(newest.values("memory_mb")[:1]))
    first = F(order[0]).desc(nulls_last=True) if descending else F(order[0]).asc(nulls_last=True)
    ordered: QuerySet[Any] = found.order_by(first, *order[1:])
    return ordered


_FILTERS = {
    "attention": Q(attention=0),
    "running": Q(status=Status.RUNNING),
    "stopped": Q(status__in=[Status.EXITED, Status.CREATED, Status.PAUSED, Status.DEAD]),
    "none": Q(status=Status.NONE),
    "unknown": Q(status__in=[Status.UNKNOWN, Status.MISSING]),
}


def with_readings(rows: Iterable[Any]) -> list[Any]:
    """The rows as a list, each with `readings` (the last hour's CPU), `reading` (the newest, or None) and `due_at`. One query."""
    projects = list(rows)
    now = timezone.now()
    found: dict[int, list[Reading]] = {project.pk: [] for project in projects}
    recent = Sample.objects.filter(project__in=list(found), span_seconds=0, at__gt=now - SPARK_SPAN).order_by("at")
    for key, *values in recent.values_list("project_id", *Reading.__dataclass_fields__):
        found[key].append(Reading(*values))
    for project in projects:
        samples = found[project.pk]
        project.readings = [sample.cpu_percent for sample in samples]
        fresh = samples and samples[-1].at > now - FRESH and project.status == Status.RUNNING
        project.reading = samples[-1] if fresh else None
        project.due_at = _due_at(project)
    return projects


def _with_decision(projects: QuerySet[Any]) -> QuerySet[Any]:
    newest = Decision.objects.filter(project=OuterRef("pk")).order_by("-id")
    found: QuerySet[Any] = projects.annotate(
        decided=Subquery(newest.values("verdict")[:1]),
        decided_reason=Subquery(newest.values("reason")[:1]),
        decided_due_at=Subquery(newest.values("due_at")[:1]),
    )
    return found


def _due_at(project: Any) -> Any:
    if project.pinned or project.container_created_at is None or project.status != Status.RUNNING:
        return None
    hours = project.refresh_age_hours or settings.CONTAINERHUB.refresh_age_hours
    return project.decided_due_at or project.container_created_at + timedelta(hours=hours)
