"""The use cases that are measured, each beside the docker CLI and the plan's own way."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import docker
from django.conf import settings

from bench import plan_way
from bench.measure import Row, compare, timed
from bench.places import remove_ours
from projects.engine.base import ExecSpec
from projects.models import Project
from projects.services.engines import current_engine
from projects.services.lifecycle import ensure_container, refresh_container, remove_container, stop_container
from projects.services.record import Actor
from projects.services.usage import get_stats

ACTOR = Actor(name="bench")
STREAM_MB = 200
STREAM = ["head", "-c", str(STREAM_MB * 1024**2), "/dev/zero"]


def run(directory: Path, *, quick: bool) -> list[Row]:
    """All rows. Containers made on the way are removed, also after an error."""
    bench = Bench(directory)
    try:
        rows = [*bench.execs(3 if quick else 5), *bench.lifecycle(1 if quick else 5)]
        return rows + bench.stats([1, 20] if quick else [1, 20, 100])
    finally:
        remove_ours()


class Bench:
    """One project, its image, and the three ways to the same thing."""

    def __init__(self, directory: Path) -> None:
        self.engine = current_engine()
        self.client = docker.from_env(timeout=300)
        self.prefix = settings.CONTAINERHUB.name_prefix
        self.workspace = directory / "roots" / "demo"
        self.workspace.mkdir(parents=True)
        os.chown(self.workspace, 1000, 1000)
        self.project = Project.objects.create(slug="demo", name="demo", path=str(self.workspace))
        self.name = f"{self.prefix}-demo"
        self.image = settings.CONTAINERHUB.base_image

    # -- the life of a container

    def lifecycle(self, rounds: int) -> list[Row]:
        ensure_container(project=self.project, actor=ACTOR)
        running = compare(
            "ensure, running already",
            {"hub": self._ensure, "cli": lambda: self._cli("inspect", self.name), "plan": self._plan_reload},
            rounds=rounds * 4,
            note="CLI: docker inspect",
        )
        remove_container(project=self._fresh(), actor=ACTOR)
        nothing = compare(
            "ensure, from nothing",
            {"hub": self._ensure, "cli": self._cli_run, "plan": self._plan_create},
            rounds=rounds,
            before=self._remove_all,
            note="CLI: docker run -d, same limits and mounts",
        )
        stop = compare(
            "stop",
            {"hub": self._stop, "cli": lambda: self._cli("stop", f"{self.prefix}-cli"), "plan": lambda: plan_way.stop(self.planned)},
            rounds=rounds,
            before=self._all_running,
            note="CLI: the same image and init; plan: tail -f as PID 1",
        )
        refresh = compare(
            "refresh",
            {"hub": self._refresh, "cli": self._cli_refresh, "plan": self._plan_refresh},
            rounds=rounds,
            before=self._all_running,
            note="CLI: stop, rename, run -d",
        )
        return [running, nothing, stop, refresh]

    def _fresh(self) -> Project:
        return Project.objects.get(pk=self.project.pk)

    def _ensure(self) -> None:
        ensure_container(project=self._fresh(), actor=ACTOR)

    def _stop(self) -> None:
        stop_container(project=self._fresh(), actor=ACTOR)

    def _refresh(self) -> None:
        refresh_container(project=self._fresh(), actor=ACTOR)

    def _cli(self, *arguments: str) -> None:
        subprocess.run(["docker", *arguments], check=True, stdout=subprocess.DEVNULL)

    def _cli_run(self) -> None:
        spec = self.client.containers.get(self.name).attrs if self._exists(self.name) else None
        mounts = spec["Mounts"] if spec else [{"Source": str(self.workspace), "Destination": "/workspace", "RW": True}]
        flags = [
            f"--mount=type=bind,src={mount['Source']},dst={mount['Destination']}{'' if mount['RW'] else ',readonly'}" for mount in mounts
        ]
        limits = ["--cpu-period=100000", "--cpu-quota=400000", "--memory=8g", "--memory-swap=8g", "--pids-limit=1000", "--init"]
        health = ["--health-cmd=/usr/local/bin/healthcheck", "--health-interval=60s", f"--network={self.prefix}-net"]
        self._cli("run", "-d", f"--name={self.prefix}-cli", *limits, *health, *flags, "--user=claude", "-w=/workspace", self.image)

    def _cli_refresh(self) -> None:
        self._cli("stop", f"{self.prefix}-cli")
        self._cli("rename", f"{self.prefix}-cli", f"{self.prefix}-cli-old")
        self._cli_run()

    def _plan_create(self) -> None:
        self.planned = plan_way.create(self.client, image=self.image, name=f"{self.prefix}-plan", workspace=str(self.workspace))

    def _plan_reload(self) -> None:
        self.client.containers.get(self.name)

    def _plan_refresh(self) -> None:
        how = {"image": self.image, "name": f"{self.prefix}-plan", "workspace": str(self.workspace)}
        self.planned = plan_way.refresh(self.client, self.planned, **how)

    def _exists(self, name: str) -> bool:
        return bool(self.client.containers.list(all=True, filters={"name": f"^/{name}$"}))

    def _remove_all(self) -> None:
        remove_container(project=self._fresh(), actor=ACTOR)
        for container in self.client.containers.list(all=True, filters={"name": f"^/{self.prefix}-"}):
            container.remove(force=True)

    def _all_running(self) -> None:
        self._remove_all()
        self._ensure()
        self._cli_run()
        self._plan_create()

    # -- commands

    def execs(self, rounds: int) -> list[Row]:
        self._remove_all()
        self._ensure()
        container = self.client.containers.get(self.name)
        true = compare(
            "exec true",
            {
                "hub": lambda: self._exec(["true"]),
                "cli": lambda: self._cli("exec", self.name, "true"),
                "plan": lambda: container.exec_run(["true"], demux=True),
            },
            rounds=rounds * 4,
        )
        stream = compare(
            f"exec, {STREAM_MB} MB of output",
            {
                "hub": lambda: self._exec(STREAM),
                "cli": lambda: self._cli("exec", self.name, *STREAM),
                "plan": lambda: plan_way.stream(self.client, container, STREAM),
            },
            rounds=rounds,
            note="aim: 1.5x the CLI",
        )
        return [true, stream]

    def _exec(self, command: list[str]) -> None:
        seen = 0

        def count(_stream: object, data: memoryview) -> None:
            nonlocal seen
            seen += len(data)

        outcome = self.engine.execs.run(self.name, ExecSpec(command=tuple(command)), sink=count)
        expected = STREAM_MB * 1024**2 if command is STREAM else 0
        if outcome.exit_code != 0 or seen != expected:
            raise AssertionError(f"{command} gave {seen} bytes and exit code {outcome.exit_code}")

    # -- measuring

    def stats(self, counts: list[int]) -> list[Row]:
        rows = []
        one = compare(
            "stats of 1, as the API answers it",
            {"hub": lambda: get_stats(project=self._fresh()), "cli": lambda: self._cli("stats", "--no-stream", self.name)},
            rounds=3,
        )
        rows.append(one)
        made: list[Any] = []
        for count in counts:
            while len(made) < count:
                name = f"{self.prefix}-many-{len(made)}"
                made.append(self.client.containers.run(self.image, ["sleep", "infinity"], name=name, init=True, detach=True))
            rows.append(self._stats_of(made))
        return rows

    def _stats_of(self, containers: list[Any]) -> Row:
        ids = [container.id for container in containers]

        def hub() -> None:
            if len(self.engine.stats.usages(ids)) != len(ids):
                raise AssertionError("A container was left out.")

        cold = timed(hub)
        ways: dict[str, Callable[[], object]] = {
            "hub": hub,
            "cli": lambda: self._cli("stats", "--no-stream", *ids),
            "plan": lambda: plan_way.stats(containers),
        }
        row = compare(f"stats of {len(ids)}", ways, rounds=1 if len(ids) > 1 else 3)
        return Row(row.what, row.seconds, note=f"first time {cold * 1000:.0f} ms; aim for 100: under 100 ms")
