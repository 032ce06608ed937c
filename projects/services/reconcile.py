"""The Engine's containers against our rows: adopt, mark missing, report what is not ours. Never remove unasked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from projects.engine.base import ContainerInfo, ContainerSummary, Engine, EngineEvent
from projects.engine.errors import EngineUnreachable
from projects.models import Event, Instance, Project
from projects.services import workspace
from projects.services.engines import current_engine
from projects.services.errors import HubError
from projects.services.incarnations import began_anew, close_rows, is_as_noted, note_ending, open_row
from projects.services.instance import instance, instance_id
from projects.services.lifecycle import stop_container
from projects.services.ours import is_ours, is_predecessor
from projects.services.record import OUTSIDE, WATCHER, Actor, record
from projects.services.spec import LABEL_INSTANCE, MANAGED_BY, container_name, hub_labels
from projects.services.throwaway import LABEL_PURPOSE
from projects.states import Health, Status

OOM_SPACING = timedelta(minutes=1)
BEGAN_ANEW_WITH_IT = timedelta(seconds=20)
"""After an Engine is back: what began anew by then did so with it."""

log = structlog.get_logger(__name__)


@dataclass
class ReconcileReport:
    """Slugs that were adopted, went missing or were started anew from outside, and names of containers that nobody claims.

    `foreign`: bears a project's name or our kind of label, but another hub's or nobody's; `orphaned`: ours, without a project.
    """

    adopted: list[str] = field(default_factory=list)
    restarted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


def reconcile(*, actor: Actor) -> ReconcileReport:
    """One list call, compared with every project. Raises EngineUnreachable after marking the fleet `unknown`."""
    engine = current_engine()
    try:
        found = engine.containers.list()
    except EngineUnreachable as error:
        note_engine_lost(actor=actor, why=str(error))
        raise
    note_engine_back(actor=actor)
    report = ReconcileReport()
    by_name = {summary.name: summary for summary in found}
    for project in Project.objects.filter(pending_action=""):
        summary = by_name.get(container_name(project, settings.CONTAINERHUB))
        _compare(project, summary, engine, report)
        if summary is not None and summary.status is Status.RUNNING and is_ours(summary, project):
            _stop_if_swapped(project, actor)
    _tell_engine_restart(report)
    for summary, ours in strangers(found):
        (report.orphaned if ours else report.foreign).append(summary.name)
    return report


def observe(project: Project) -> None:
    """Look at one project's container and note what is seen."""
    engine = current_engine()
    info = engine.containers.inspect(container_name(project, settings.CONTAINERHUB))
    report = ReconcileReport()
    if info is not None and is_ours(info, project):
        _note(project, info, report)
    else:
        _note_absence(project, engine, report)
    _tell_engine_restart(report)


def observe_event(event: EngineEvent) -> None:
    """After a hint of the Engine: look at the project it speaks of, if it is one of ours and nothing is under way.

    Not while the Engine counts as lost: the first look after an outage is at everything, and says first that it is back.
    """
    if engine_is_lost():
        return
    if event.attributes.get(LABEL_INSTANCE) != instance_id():
        return
    project = Project.objects.filter(slug=event.attributes.get("project_id", ""), pending_action="").first()
    if project is None:
        return
    observe(project)
    if event.kind == "oom":
        _tell_out_of_memory(project)


def count_active() -> int:
    """How many containers of this hub run now, by what the Engine says."""
    found = current_engine().containers.list(labels=hub_labels(instance_id()), running_only=True)
    return sum(not is_predecessor(summary.name) and LABEL_PURPOSE not in summary.labels for summary in found)


def _compare(project: Project, summary: ContainerSummary | None, engine: Engine, report: ReconcileReport) -> None:
    """Inspect only where the list shows a difference."""
    if summary is not None and not is_ours(summary, project):
        summary = None
    if summary is not None and project.docker_id == summary.docker_id:
        same = (project.status, project.health) == (summary.status, summary.health)
        if same:
            now = timezone.now()
            Project.objects.filter(pk=project.pk, pending_action="").update(status_at=now, health_at=now)
            return
    if summary is None and project.status in (Status.NONE, Status.MISSING):
        return
    info = engine.containers.inspect(summary.docker_id) if summary is not None else None
    if info is not None:
        _note(project, info, report)
    else:
        _note_absence(project, engine, report)


def _note_absence(project: Project, engine: Engine, report: ReconcileReport) -> None:
    """Nothing of ours bears the project's name. What stands under another name was not removed, and is not said to be."""
    left = engine.containers.inspect(project.docker_id) if project.docker_id else None
    _note(project, None, report, left=left)


def _note(project: Project, info: ContainerInfo | None, report: ReconcileReport, *, left: ContainerInfo | None = None) -> None:
    """Write what was seen with its event, unless an action began meanwhile: its holder writes then."""
    now = timezone.now()
    status = info.status if info is not None else (Status.NONE if project.status == Status.NONE else Status.MISSING)
    # At a stop the Engine calls a container unhealthy (seen), which says nothing about it.
    health = info.health if info is not None and status == Status.RUNNING else Health.NONE
    fields: dict[str, object] = {"status": status, "status_at": now, "health": health, "health_at": now}
    if info is not None:
        fields["docker_id"] = info.docker_id
    with transaction.atomic():
        rows = Project.objects.filter(pk=project.pk, pending_action="", claim_token=project.claim_token)
        before = rows.select_for_update().first()
        if before is None:
            return
        rows.update(**fields)
        if info is not None:
            _adopt_if_new(before, info, report)
            if before.status in (Status.RUNNING, Status.UNKNOWN) and began_anew(info):
                _tell_restart(before, info, report)
            elif before.status != status:
                _tell_status(before, info, report)
            note_ending(info)
        elif before.status != status:
            _tell_absence(before, left, report)
        if before.health != health and health == Health.UNHEALTHY and info is not None:
            message = f"Its health check failed {info.failing_streak} times: {info.health_output.strip()[-300:] or 'no output'}"
            record("container.unhealthy", project=project, actor=OUTSIDE, message=message, docker_id=info.docker_id)
        elif before.health == Health.UNHEALTHY and health == Health.HEALTHY:
            record("container.healthy", project=project, actor=OUTSIDE, message="Its health check passes again.")


def _stop_if_swapped(project: Project, actor: Actor) -> None:
    """A restarted Engine mounts what the path leads to now: a workspace that became a link may be anything of the host's."""
    if not workspace.is_swapped(project.path):
        return
    message = f"The workspace {project.path} was swapped for a link, so its container is stopped; put the directory back, then ensure."
    with transaction.atomic():
        record("workspace.swapped", project=project, actor=actor, message=message, path=project.path)
    try:
        stop_container(project=project, actor=actor)
    except HubError as error:
        log.warning("workspace.swapped_not_stopped", project=project.slug, error=str(error))


def _adopt_if_new(project: Project, info: ContainerInfo, report: ReconcileReport) -> None:
    _, new = open_row(project, info)
    if new:
        close_rows(project, reason="Replaced from outside.", keep=info.docker_id)
        report.adopted.append(project.slug)
        record(
            "container.adopted",
            project=project,
            actor=OUTSIDE,
            message=f"Container {info.short_id} bears our labels and was adopted.",
            docker_id=info.docker_id,
        )


def _tell_status(project: Project, info: ContainerInfo, report: ReconcileReport) -> None:
    report.changed.append(project.slug)
    exited = f" (exit code {info.exit_code}{', out of memory' if info.oom_killed else ''})" if info.status == Status.EXITED else ""
    as_before = project.status == Status.UNKNOWN and is_as_noted(info)
    message = f"Container {info.short_id} is {info.status}, as it was before the Engine was lost."
    if not as_before:
        message = f"Container {info.short_id} was seen {info.status}{exited}; it was {project.status}."
    record(
        f"container.{info.status}",
        project=project,
        actor=WATCHER if as_before else OUTSIDE,
        message=message,
        docker_id=info.docker_id,
        before=project.status,
        exit_code=info.exit_code,
    )


def _tell_restart(project: Project, info: ContainerInfo, report: ReconcileReport) -> None:
    report.changed.append(project.slug)
    report.restarted.append(project.slug)
    message = f"Container {info.short_id} was started anew, not by the hub: from outside, or by the Engine after it had ended."
    record(
        "container.restarted",
        project=project,
        actor=OUTSIDE,
        message=message,
        docker_id=info.docker_id,
        before=project.status,
        restart_count=info.restart_count,
    )


def _tell_absence(project: Project, left: ContainerInfo | None, report: ReconcileReport) -> None:
    report.changed.append(project.slug)
    report.missing.append(project.slug)
    actor, message = OUTSIDE, "Its container was removed from outside; ensure makes a new one."
    if left is not None and is_predecessor(left.name):
        actor, message = WATCHER, f"A refresh was cut short: the old container stands aside as {left.name}; ensure finishes what was begun."
    elif left is not None:
        message = f"Its container was renamed to {left.name} from outside: rename it back, or ensure makes a new one beside it."
    elif not close_rows(project, reason="Removed from outside.") and project.status == Status.UNKNOWN:
        actor, message = WATCHER, "Its container is missing, as before the Engine was lost; ensure makes a new one."
    record("container.missing", project=project, actor=actor, message=message, docker_id=project.docker_id)


def _tell_engine_restart(report: ReconcileReport) -> None:
    """An Engine that was away and started its containers anew was itself restarted; told once, with the first of them."""
    if not report.restarted:
        return
    with transaction.atomic():
        Instance.objects.select_for_update().filter(pk=1).first()  # one look at a time
        back = Event.objects.filter(kind="engine.back", at__gt=timezone.now() - BEGAN_ANEW_WITH_IT).order_by("-id").first()
        if back is None or Event.objects.filter(kind="engine.restarted", id__gt=back.pk).exists():
            return
        message = "The Docker Engine was restarted, and running containers began anew with it."
        record("engine.restarted", actor=OUTSIDE, message=message, projects=report.restarted[:100])


def _tell_out_of_memory(project: Project) -> None:
    """At most once in OOM_SPACING: what is out of memory is often so again and again."""
    message = "A process in it was ended: the container's memory limit was reached. It needs a higher limit, or less work at once."
    with transaction.atomic():
        since = timezone.now() - OOM_SPACING
        if not Event.objects.filter(kind="container.oom", project_slug=project.slug, at__gt=since).exists():
            record("container.oom", project=project, actor=OUTSIDE, message=message, docker_id=project.docker_id)


def strangers(found: Sequence[ContainerSummary]) -> Iterator[tuple[ContainerSummary, bool]]:
    """Containers that nobody claims, and whether this hub made them (orphaned) or not (foreign)."""
    ours, prefix = instance_id(), f"{settings.CONTAINERHUB.name_prefix}-"
    slugs = set(Project.objects.values_list("slug", flat=True))
    for summary in found:
        mine = summary.labels.get("managed_by") == MANAGED_BY and summary.labels.get(LABEL_INSTANCE) == ours
        if LABEL_PURPOSE in summary.labels:
            continue  # a throw-away container at work
        if mine and summary.labels.get("project_id") not in slugs:
            yield summary, True
        elif not mine and (summary.labels.get("managed_by") == MANAGED_BY or summary.name.removeprefix(prefix) in slugs):
            yield summary, False


def note_engine_lost(*, actor: Actor, why: str) -> None:
    """The Engine does not answer: what was seen last no longer counts, and since when stands in `status_at`."""
    instance()
    now = timezone.now()
    with transaction.atomic():
        if not Instance.objects.filter(pk=1, engine_reachable=True).update(engine_reachable=False):
            return
        Project.objects.exclude(status__in=[Status.NONE, Status.UNKNOWN]).update(status=Status.UNKNOWN, status_at=now)
        record("engine.lost", actor=actor, message=why)


def engine_is_lost() -> bool:
    return Instance.objects.filter(engine_reachable=False).exists()


def note_engine_back(*, actor: Actor) -> None:
    instance()
    now = timezone.now()
    with transaction.atomic():
        if Instance.objects.filter(pk=1, engine_reachable=False).update(engine_reachable=True, engine_seen_at=now):
            record("engine.back", actor=actor, message="The Docker Engine answers again.")
        else:
            Instance.objects.filter(pk=1).update(engine_seen_at=now)
