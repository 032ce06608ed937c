"""A fleet on the fake Engine, swept at moments of the test's choosing."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projects.models import Decision, Event, Project
from projects.services import commands
from projects.services.lifecycle import ensure_container
from projects.services.record import Actor
from projects.services.sweep import Report, carry_out, measure_layers, sweep
from projects.services.usage import _local
from tests.cast import fake_engine
from tests.engine.fake import FakeEngine
from tests.services.host import Host, make_host

__all__ = ["fake_engine", "fleet"]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PEOPLE = Actor(name="somebody")


@dataclass
class Fleet:
    """`at(minutes)` sweeps so long after the beginning, and carries out what was handed over unless `hold_back`."""

    engine: FakeEngine
    host: Host
    began: datetime = field(default_factory=lambda: datetime.now(UTC))
    hold_back: bool = False
    handed: list[tuple[Any, ...]] = field(default_factory=list)

    def project(self, slug: str = "web", **fields: Any) -> Project:
        project = self.host.project(slug, **fields)
        ensure_container(project=project, actor=PEOPLE)
        project.refresh_from_db()
        return project

    def at(self, minutes: float) -> Report | None:
        now = self.began + minutes * MINUTE
        start = len(self.handed)
        report = sweep(now=now, task=lambda *what: self.handed.append(what))
        if not self.hold_back:
            for name, *arguments in self.handed[start:]:
                if name == "carry_out":
                    carry_out(*arguments, now=now)
                else:
                    measure_layers(now=now)
        return report

    def use(self, project: Project, **usage: object) -> None:
        self.engine.usages[f"claude-dev-{project.slug}"] = dict(usage)

    def decision(self, project: Project) -> Decision:
        return Decision.objects.filter(project=project).latest("id")

    def kinds(self, *prefixes: str) -> list[str]:
        found = Event.objects.order_by("id").values_list("kind", flat=True)
        return [kind for kind in found if kind.startswith(prefixes or ("health.",))]


@pytest.fixture
def fleet(db, settings, tmp_path, monkeypatch, fake_engine) -> Fleet:
    host = make_host(tmp_path, settings, monkeypatch)
    settings.DATA_DIR = host.data
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    fake_engine.host = fake_engine.host.__class__(**{**vars(fake_engine.host), "root_dir": str(tmp_path)})
    host.configure(refresh_disk_percent=100, name_prefix="claude-dev")
    _local.clear()
    return Fleet(fake_engine, host)
