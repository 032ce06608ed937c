"""Many containers at once: what a sweep of them takes, what it leaves in the database, and what watching them costs."""

import contextlib
import os
import statistics
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import docker
import httpx
from django.conf import settings
from django.db import connection
from django.utils import timezone

from bench import plan_way
from bench.figures import Figure, tell
from bench.measure import Row, compare, timed
from bench.places import free_port, remove_ours
from containerhub import processes
from projects.models import Decision, Event, HealthMemory, Project, Sample
from projects.services.housekeeping import DECISIONS_KEPT
from projects.services.lifecycle import ensure_container
from projects.services.record import Actor
from projects.services.spec import container_name
from projects.services.sweep import samples, sweep

ACTOR = Actor(name="bench")
AIM_SECONDS = 0.5
AIM_PERCENT = 2.0
IDLE_SECONDS = 60
SETTLE_SECONDS = 90
"""A start is not idle: until then each process imports what it needs, and every container's layer is measured, as then each hour."""
DAY_CONTAINERS = 10
TABLES: dict[str, Any] = {"samples": Sample, "decisions": Decision, "events": Event}


def run(directory: Path, *, quick: bool) -> tuple[list[Row], list[Figure]]:
    """Containers made on the way are removed, also after an error."""
    fleet = Fleet(directory)
    counts = [1, 20] if quick else [1, 20, 100]
    try:
        rows, figures = fleet.sweeps(counts, with_plan=not quick)
        figures += fleet.idle(len(fleet.projects))
        figures += fleet.days(minutes=180 if quick else 26 * 60)
        return rows, figures
    finally:
        fleet.clean()


class Fleet:
    """Projects of the hub, each with its running container, on the clock that the bench holds."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.client = docker.from_env(timeout=300)
        self.projects: list[Project] = []
        self.now = timezone.now()

    def grow(self, count: int) -> None:
        while len(self.projects) < count:
            name = f"fleet-{len(self.projects)}"
            workspace = self.directory / "roots" / name
            workspace.mkdir(parents=True)
            os.chown(workspace, 1000, 1000)
            project = Project.objects.create(slug=name, name=name, path=str(workspace))
            ensure_container(project=project, actor=ACTOR)
            self.projects.append(project)

    # -- one pass

    def sweeps(self, counts: list[int], *, with_plan: bool) -> tuple[list[Row], list[Figure]]:
        rows, means = [], {}
        for count in counts:
            tell(f"sweep: making {count} containers")
            self.grow(count)
            self._sweep()
            row = self._beside_the_plan(count) if with_plan else compare(f"sweep of {count}", {"hub": self._sweep}, rounds=20)
            means[count] = statistics.median(timed(self._sweep) for _ in range(20))
            rows.append(Row(row.what, {**row.seconds, "hub": means[count]}, f"aim for 100: {AIM_SECONDS} s"))
        return rows, [self._growth(means)]

    def _sweep(self) -> None:
        """A minute later by the bench's clock, so that the lease of the one before is free."""
        self.now += timedelta(minutes=1)
        report = sweep(now=self.now, task=lambda *_: None)
        if report is None or report.samples != len(self.projects):
            raise AssertionError(f"The sweep of {len(self.projects)} containers gave {report}.")

    def _beside_the_plan(self, count: int) -> Row:
        found = [self.client.containers.get(container_name(project, settings.CONTAINERHUB)) for project in self.projects]
        return compare(f"sweep of {count}", {"hub": self._sweep, "plan": lambda: plan_way.check(found)}, rounds=1)

    @staticmethod
    def _growth(means: dict[int, float]) -> Figure:
        few, many = sorted(means)[-2:]
        each = (means[many] - means[few]) / (many - few)
        seconds = means[many]
        linear = each * many <= seconds * 1.5  # what a container more costs is no more than what each costs now
        return Figure(
            f"sweep of {many}, all told",
            f"{seconds * 1000:.0f} ms",
            f"{each * 1000:.2f} ms for each more than {few}",
            f"100 in {AIM_SECONDS} s, growth linear",
            seconds < AIM_SECONDS * max(1, many / 100) and linear,
        )

    # -- what a day leaves

    def days(self, *, minutes: int) -> list[Figure]:
        """Sweeps of more than a day, with the hourly pruning, on the clock of the bench; then rows and bytes of each table."""
        self.projects = self.projects[:DAY_CONTAINERS]
        for project in Project.objects.exclude(pk__in=[project.pk for project in self.projects]):  # also the sample that `up` made
            self._remove(project)
        for model in (Sample, Decision, HealthMemory, Event):
            model.objects.all().delete()
        empty = _bytes_of()
        tell(f"{minutes} minutes of sweeps of {len(self.projects)} containers, on a clock of its own")
        for minute in range(minutes):
            self._sweep()
            if minute % 60 == 59:
                samples.prune(self.now)
        return self._rows_a_day(empty, minutes)

    def _rows_a_day(self, empty: dict[str, float], minutes: int) -> list[Figure]:
        figures = []
        count, days = len(self.projects), minutes / 1440
        sizes = {what: size - empty[what] for what, size in _bytes_of().items()}
        raw = Sample.objects.filter(span_seconds=0).count()
        averages = Sample.objects.filter(span_seconds=samples.SPAN_SECONDS).count()
        if days > 1 and raw > count * 1441 + count * 60:
            raise AssertionError(f"{raw} raw samples of {count} containers are left: they were not pruned after 24 h.")
        for what, model in TABLES.items():
            rows = model.objects.count()
            each = sizes[what] / rows if rows else 0
            if model is Sample:
                kept = raw / count / min(days, 1) + averages / count / days * samples.AVERAGES_KEPT.days
                hub = f"{1440} raw and {averages / count / days:.0f} averages a day, {each:.0f} bytes a row with its indexes"
                beside = f"kept: {kept:.0f} rows, {kept * each / 1024:.0f} KiB a container"
            else:
                hub = f"{rows / count / days:.1f} rows, {sizes[what] / count / days:.0f} bytes a day"
                beside = f"kept {DECISIONS_KEPT.days} days" if model is Decision else "kept for ever (the audit trail)"
            figures.append(Figure(f"{what}, a container that is well", hub, beside))
        return figures

    # -- what watching costs

    def idle(self, count: int) -> list[Figure]:
        """The CPU time of a whole hub's processes over a minute in which nobody uses it, from /proc."""
        tell(f"idle: a hub with {count} containers, {IDLE_SECONDS} s")
        with (self.directory / "up.log").open("wb") as output:
            port = free_port()
            environment = {**os.environ, "CONTAINERHUB_PORT": str(port)}
            hub = subprocess.Popen(
                [sys.executable, "manage.py", "up"], env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        try:
            self._wait_until_ready(hub, port)
            before = {role: _cpu_seconds(role) for role in processes.ROLES}
            began = time.monotonic()
            time.sleep(IDLE_SECONDS)
            spent = time.monotonic() - began
            used = {role: 100 * (_cpu_seconds(role) - before[role]) / spent for role in processes.ROLES}
        finally:
            hub.terminate()
            hub.wait(60)
        both = used["watcher"] + used["worker"]
        parts = ", ".join(f"{role} {percent:.2f} %" for role, percent in used.items())
        tell(parts)
        return [
            Figure(
                f"idle CPU with {count} containers",
                f"{both:.2f} % of a core",
                parts,
                f"watcher and worker under {AIM_PERCENT:g} %",
                both < AIM_PERCENT,
            )
        ]

    def _wait_until_ready(self, hub: "subprocess.Popen[bytes]", port: int) -> None:
        until = time.monotonic() + 180
        while time.monotonic() < until and hub.poll() is None:
            try:
                if httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == 200:
                    time.sleep(SETTLE_SECONDS)
                    return
            except httpx.TransportError:
                time.sleep(1)
        raise AssertionError(f"The hub did not start:\n{(self.directory / 'up.log').read_text()[-2000:]}")

    # -- afterwards

    def _remove(self, project: Project) -> None:
        with contextlib.suppress(docker.errors.NotFound):  # one of another part of the bench, which took its containers away
            self.client.containers.get(container_name(project, settings.CONTAINERHUB)).remove(force=True)
        project.delete()

    def clean(self) -> None:
        for role in processes.ROLES:
            processes.end_leftovers(role, settings.DATA_DIR)
        remove_ours()


def _cpu_seconds(role: str) -> float:
    """Of all living processes of the role, with those of theirs that have ended."""
    ticks = 0
    for pid in processes.role_pids(role, settings.DATA_DIR):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def _bytes_of() -> dict[str, float]:
    """Of each of TABLES with its indexes, as the database has them on its pages."""
    sizes: dict[str, float] = {}
    with connection.cursor() as cursor:
        for what, model in TABLES.items():
            table = model._meta.db_table
            if connection.vendor == "postgresql":
                cursor.execute("SELECT pg_total_relation_size(%s)", [table])
            else:
                cursor.execute("SELECT SUM(pgsize) FROM dbstat WHERE name IN (SELECT name FROM sqlite_master WHERE tbl_name = %s)", [table])
            sizes[what] = float(cursor.fetchone()[0] or 0)
    return sizes
