"""`hub` over an Engine in memory: what the real one seldom does."""

import pytest
from typer.testing import CliRunner

from projects.cli.app import app
from projects.engine.base import ContainerSpec
from projects.engine.errors import Refused
from projects.models import Project
from projects.services.engines import use_engine
from projects.services.images import LABEL_IMAGE
from projects.services.instance import instance_id
from projects.services.spec import hub_labels
from tests.engine.fake import FakeEngine

pytestmark = pytest.mark.django_db


@pytest.fixture
def engine(settings, tmp_path):
    settings.DATA_DIR = tmp_path
    fake = FakeEngine()
    use_engine(fake)
    yield fake
    use_engine(None)


def hub(*words: str, stdin: str = ""):
    return CliRunner().invoke(app, list(words), input=stdin, prog_name="hub")


def test_build_shows_its_steps_and_answers_the_image(engine):
    done = hub("build", "--no-cache")
    assert done.exit_code == 0, done.output
    assert "[1/2] Step 1/2 : FROM scratch" in done.stderr
    assert done.stdout.split()[1] == engine.images.list(labels={LABEL_IMAGE: "base"})[-1].image_id
    assert engine.images.builds[0].no_cache is True


def test_a_failed_build_is_1_and_says_at_which_step(engine):
    engine.build_error = "no space left on device"
    done = hub("build")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1].startswith("hub: The build failed at step 2 of 2")


def test_an_engine_that_goes_down_is_69_in_every_command_that_needs_it(engine):
    Project.objects.create(slug="docs", name="Docs", path="/srv/docs")
    engine.down = True
    for words in (["ps"], ["build"], ["cleanup"], ["stop", "docs"], ["logs", "docs"], ["stats", "docs"], ["exec", "docs", "--", "true"]):
        done = hub(*words)
        assert done.exit_code == 69, (words, done.output)
        assert done.stderr.splitlines()[-1].startswith("hub: ")


def test_ps_shows_what_was_known_when_the_engine_is_down(engine):
    Project.objects.create(slug="docs", name="Docs", path="/srv/docs", status="running")
    engine.down = True
    done = hub("ps")
    assert "docs" in done.stdout
    assert "unknown" in done.stdout


def test_one_container_that_cannot_be_removed_stops_no_other_and_is_1(engine):
    for name in ("one", "two"):
        labels = {**hub_labels(instance_id()), "project_id": name}
        engine.containers.create(ContainerSpec(name=f"claude-dev-{name}", image="debian:bookworm-slim", labels=labels))
    stuck = engine.box("claude-dev-one").info().docker_id

    def refuse(name, arguments):
        if name == "containers.remove" and arguments["ref"] == stuck:
            raise Refused("It is stuck; restart Docker.")

    engine.before_call = refuse
    done = hub("cleanup", "--no-dry-run", "--yes")
    assert done.exit_code == 1
    assert "It is stuck" in done.stdout
    assert [box.spec.name for box in engine.boxes.values()] == ["claude-dev-one"]


def test_a_project_name_with_escapes_is_printed_harmlessly(engine):
    Project.objects.create(slug="docs", name="Docs", path="/srv/do\x1b[2Jcs")
    assert "\x1b" not in hub("ps").stdout
