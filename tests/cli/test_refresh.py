"""`hub diff`, what `hub refresh` says and asks before, and `hub set`."""

import json

import pytest
from typer.testing import CliRunner

from projects.cli.app import app
from projects.engine.base import Change
from projects.engine.errors import Refused
from projects.models import Project
from projects.services import commands
from projects.services.engines import use_engine
from projects.services.lifecycle import ensure_container
from projects.services.record import HUB
from projects.states import ChangeKind
from tests.engine.fake import FakeEngine
from tests.services.host import make_host

pytestmark = pytest.mark.django_db


def hub(*words: str, stdin: str = ""):
    return CliRunner().invoke(app, list(words), input=stdin, prog_name="hub")


@pytest.fixture
def engine(tmp_path, settings, monkeypatch):
    """With the container of the project docs, into which a package was installed."""
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    fake = FakeEngine()
    use_engine(fake)
    host = make_host(tmp_path, settings, monkeypatch)
    host.settings.DATA_DIR = host.data
    ensure_container(project=host.project("docs"), actor=HUB)
    (box,) = fake.boxes.values()
    box.changes = (Change("/var/lib/dpkg/info/ripgrep.list", ChangeKind.ADDED), Change("/usr/bin/rg", ChangeKind.ADDED))
    yield fake
    use_engine(None)


@pytest.fixture
def typed(monkeypatch):
    monkeypatch.setattr("projects.cli.containers.on_terminal", lambda: True)


def generation() -> int:
    return Project.objects.get().generation


def test_diff_names_packages_and_directories(engine):
    done = hub("diff", "docs")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[0].startswith("1 package of apt (ripgrep); 1 file outside")
    assert "apt  ripgrep" in done.stdout
    assert "       1  /usr/bin" in done.stdout
    assert json.loads(hub("diff", "docs", "--json").stdout)["contents"]["apt"]["names"] == ["ripgrep"]


def test_refresh_says_what_is_lost_and_asks_on_a_terminal(engine, typed):
    refused = hub("refresh", "docs", stdin="n\n")
    assert (refused.exit_code, generation()) == (1, 1)
    assert refused.stderr.startswith("Lost with the container: 1 package of apt (ripgrep)")
    done = hub("refresh", "docs", stdin="y\n")
    assert (done.exit_code, generation()) == (0, 2)
    assert done.stdout.splitlines()[-1].startswith("docs: refreshed ")


def test_refresh_asks_nothing_with_yes_nor_where_nothing_is_lost(engine, typed):
    assert hub("refresh", "docs", "--yes").exit_code == 0
    done = hub("refresh", "docs")
    assert (done.exit_code, generation()) == (0, 3)
    assert done.stderr.startswith("Nothing was installed or written")


def test_a_script_is_told_and_not_asked(engine):
    done = hub("refresh", "docs")
    assert (done.exit_code, generation()) == (0, 2)
    assert "ripgrep" in done.stderr


def test_refresh_goes_on_when_it_cannot_be_found_out_and_is_69_without_an_engine(engine):
    def refuse(name, _args):
        if name == "containers.changes":
            raise Refused("The Docker Engine refused: the layer cannot be read.")

    engine.before_call = refuse
    done = hub("refresh", "docs")
    assert (done.exit_code, generation()) == (0, 2)
    assert "could not be found out: The Docker Engine refused: the layer cannot be read." in done.stderr
    engine.down = True
    done = hub("refresh", "docs")
    assert (done.exit_code, done.stderr.count("\n")) == (69, 1)


def test_set_changes_when_it_is_refreshed_by_itself(engine):
    words = [
        "--age-hours",
        "24",
        "--memory-percent",
        "80",
        "--quiet-hours",
        "22:00-06:00",
        "--hard-limit-hours",
        "100",
        "--mode",
        "suggest",
    ]
    answer = json.loads(hub("set", "docs", *words, "--pinned", "--json").stdout)
    assert (answer["refresh_age_hours"], answer["refresh_memory_percent"], answer["refresh_quiet_hours"]) == (24, 80, "22:00-06:00")
    assert (answer["refresh_mode"], answer["refresh_hard_limit_hours"], answer["pinned"]) == ("suggest", 100, True)
    back = ["--age-hours", "hub", "--memory-percent", "hub", "--quiet-hours", "", "--hard-limit-hours", "never", "--mode", "hub"]
    assert hub("set", "docs", *back, "--no-pinned").exit_code == 0
    project = Project.objects.get()
    assert (project.refresh_age_hours, project.refresh_memory_percent, project.refresh_quiet_hours) == (None, None, "")
    assert (project.refresh_mode, project.refresh_hard_limit_hours, project.pinned) == ("", None, False)


def test_set_alone_shows_what_is_set(engine):
    rows = dict(line.strip().split(maxsplit=1) for line in hub("set", "docs").stdout.splitlines()[1:])
    assert rows["refresh_age_hours"] == "the hub's own"
    assert rows["refresh_quiet_hours"] == "at any time"
    assert rows["pinned"] == "no"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--quiet-hours 22-6", "The quiet hours must be two times as 22:00-06:00 (UTC)"),
        ("--age-hours soon", "refresh_age_hours must be a number"),
        ("--age-hours 0", "refresh_age_hours"),
        ("--age-hours nan", "must be a number"),
        ("--memory-percent 101", "refresh_memory_percent"),
        ("--mode always", "There is no refresh mode 'always'"),
    ],
)
def test_what_cannot_be_set_is_one_line(engine, words, said):
    done = hub("set", "docs", *words.split())
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.output
    assert said in done.stderr
