"""What a refresh takes away, told from a diff; stored before each refresh, which goes on without it if need be."""

import json
from dataclasses import asdict

import pytest

from projects.engine.base import Change
from projects.engine.errors import EngineUnreachable, Refused
from projects.models import Event, Manifest
from projects.services import manifests
from projects.services.errors import Unready
from projects.services.lifecycle import ensure_container, refresh_container
from projects.services.manifests.contents import DIRECTORIES_LIMIT, NAMES_LIMIT, from_json, summarise
from projects.services.record import HUB
from projects.states import ChangeKind
from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages"]


def added(*paths):
    return [Change(path, ChangeKind.ADDED) for path in paths]


def changed(*paths):
    return [Change(path, ChangeKind.CHANGED) for path in paths]


@pytest.mark.parametrize(
    ("change", "installer", "name"),
    [
        (*added("/var/lib/dpkg/info/ripgrep.list"), "apt", "ripgrep"),
        (*added("/var/lib/dpkg/info/libssl3:amd64.list"), "apt", "libssl3"),
        (*changed("/var/lib/dpkg/info/curl.list"), "apt", "curl"),
        (*added("/usr/local/lib/python3.11/site-packages/requests-2.32.3.dist-info"), "pip", "requests 2.32.3"),
        (*added("/home/claude/.local/lib/python3.11/site-packages/ruamel.yaml-0.18.6.dist-info"), "pip", "ruamel.yaml 0.18.6"),
        (*added("/usr/local/lib/python3.11/dist-packages/old_one-1.0-py3.11.egg-info"), "pip", "old_one 1.0"),
        (*added("/usr/local/lib/node_modules/cowsay"), "npm", "cowsay"),
        (*added("/usr/local/lib/node_modules/@scope/tool"), "npm", "@scope/tool"),
        (*changed("/usr/local/lib/node_modules/npm/package.json"), "npm", "npm"),
    ],
)
def test_a_package_is_named_by_what_its_installer_leaves(change, installer, name):
    contents = summarise([change])
    assert {kind: getattr(contents, kind).names for kind in ("apt", "pip", "npm")} == {"apt": (), "pip": (), "npm": (), installer: (name,)}


@pytest.mark.parametrize(
    "change",
    [
        *added("/var/lib/dpkg/info/ripgrep.md5sums", "/var/lib/dpkg/status"),
        *added("/usr/lib/python3/dist-packages/apt_brought-1.0.dist-info"),  # it is named as a package of apt
        *added("/usr/lib/x/site-packages/requests-2.32.3.dist-info/RECORD", "/usr/lib/x/site-packages/requests"),
        *changed("/usr/local/lib/python3.11/site-packages/pip-23.0.1.dist-info"),
        *added("/usr/local/lib/node_modules/cowsay/node_modules/inner", "/usr/local/lib/node_modules/.bin"),
        *added("/usr/local/lib/node_modules/@scope", "/usr/local/lib/node_modules/cowsay/index.js"),
        *changed("/usr/local/lib/node_modules", "/usr/local/lib/node_modules/npm"),
        Change("/var/lib/dpkg/info/gone.list", ChangeKind.DELETED),
    ],
    ids=str,
)
def test_what_is_no_package_is_named_as_none(change):
    contents = summarise([change])
    assert (contents.apt.count, contents.pip.count, contents.npm.count) == (0, 0, 0)


FRESH = [
    *changed("/home", "/home/claude", "/run", "/run/containerhub", "/usr", "/usr/local", "/usr/local/bin", "/usr/sbin", "/tmp"),
    *added("/home/claude/.claude", "/usr/local/bin/claude", "/usr/sbin/docker-init", "/run/containerhub/tmux-1000/hub"),
]
MOUNTED = ("/workspace", "/home/claude/.claude", "/usr/local/bin/claude")


def test_a_container_that_only_ran_loses_nothing():
    contents = summarise(FRESH, mounted=MOUNTED)
    assert contents.is_empty, contents
    assert contents.sentence == "Nothing was installed or written outside of the workspace and Claude's configuration."


def test_files_are_counted_without_the_directories_above_them_and_apart_in_the_home_directory():
    contents = summarise(
        [
            *FRESH,
            *changed("/opt"),
            *added("/opt/tool", "/opt/tool/a", "/opt/tool/b", "/home/claude/notes", "/home/claude/.claude/kept"),
            *changed("/etc/hosts.allow"),
            Change("/etc/motd", ChangeKind.DELETED),
        ],
        mounted=MOUNTED,
    )
    assert (contents.files, contents.home_files) == (3, 1)
    assert [(one.path, one.files) for one in contents.directories] == [("/opt/tool", 2), ("/etc", 1), ("/home/claude", 1)]
    assert contents.sentence == (
        "3 files outside of the workspace and the home directory, 2 of them in /opt/tool; 1 file in the home directory."
    )


def test_two_hundred_thousand_paths_make_a_small_manifest_that_comes_back_whole():
    paths = [f"/opt/d{number % 500}/node_modules/package-{number}" for number in range(100_000)]
    paths += [f"/srv/{'x' * 200}{number % 50}/{'y' * 200}/file-{number}" for number in range(100_000)]
    contents = summarise(added(*paths))
    assert (contents.npm.count, len(contents.npm.names)) == (100_000, NAMES_LIMIT)
    assert contents.files == 200_000
    assert len(contents.directories) == DIRECTORIES_LIMIT
    stored = json.dumps(asdict(contents))
    assert len(stored) < 20_000
    assert from_json(json.loads(stored)) == contents
    assert "and 99995 more" in contents.sentence


# -- kept before a refresh ------------------------------------------------------------------


def without_setup(monkeypatch):
    """Its thread would not see the test's transaction."""
    monkeypatch.setattr("projects.services.commands.run_setup", lambda project, row: None)


@pytest.fixture
def container(cast, fake_engine, monkeypatch):
    monkeypatch.setattr(
        "projects.services.commands.run_setup", lambda project, row: None
    )  # its thread would not see the test's transaction
    ensure_container(project=cast.project, actor=HUB)
    (box,) = fake_engine.boxes.values()
    box.changes = tuple(added("/var/lib/dpkg/info/ripgrep.list", "/usr/bin/rg"))
    return box


def test_a_refresh_keeps_the_manifest_of_the_old_container_and_tells_of_it(cast, container):
    seen = manifests.look(project=cast.project)
    refresh_container(project=cast.project, actor=HUB, reason="too old")
    row = Manifest.objects.get()
    assert (row.docker_id, row.reason, row.problem) == (container.docker_id, "too old", "")
    assert manifests.view_of(row).contents == seen.contents
    event = Event.objects.get(kind="container.manifest")
    assert event.message == f"The refresh takes away: {seen.sentence}"
    assert event.details["manifest"] == row.pk
    assert "ripgrep" in event.message
    assert not manifests.look(project=cast.project).loses


def test_a_refresh_goes_on_when_the_manifest_cannot_be_made_and_says_so(cast, container, fake_engine):
    def refuse(name, _args):
        if name == "containers.changes":
            raise Refused("The Docker Engine refused: the layer cannot be read.")

    fake_engine.before_call = refuse
    answer = refresh_container(project=cast.project, actor=HUB)
    assert answer.status == "refreshed"
    row = Manifest.objects.get()
    assert (row.contents, row.problem) == (None, "The Docker Engine refused: the layer cannot be read.")
    assert "could not be told: The Docker Engine refused" in Event.objects.get(kind="container.manifest").message
    page = manifests.look_or_say(project=cast.project)
    assert page.loses
    assert "the layer cannot be read" in page.sentence


def test_a_page_does_not_wait_long_for_a_container_that_wrote_much(cast, container, fake_engine):
    waited = []

    def slow(name, args):
        if name == "containers.changes":
            waited.append(args["timeout_seconds"])
            raise EngineUnreachable("The Docker Engine did not answer in time.")

    fake_engine.before_call = slow
    view = manifests.look_or_say(project=cast.project)
    assert "did not list within 5 s what the container has written" in view.sentence
    assert view.loses
    with pytest.raises(Unready):
        manifests.look(project=cast.project)
    assert waited == [5, 60]


def test_only_the_last_manifests_of_a_project_are_kept(cast, container, monkeypatch):
    monkeypatch.setattr("projects.services.manifests.keeping.KEPT", 2)
    for number in range(4):
        refresh_container(project=cast.project, actor=HUB, reason=str(number))
    assert list(Manifest.objects.values_list("reason", flat=True)) == ["3", "2"]


def test_without_a_container_nothing_is_lost_and_none_is_kept(cast, fake_engine, monkeypatch):
    without_setup(monkeypatch)
    view = manifests.look(project=cast.project)
    assert (view.docker_id, view.loses) == ("", False)
    assert view.sentence == "There is no container, so there is nothing to lose."
    refresh_container(project=cast.project, actor=HUB)
    assert not Manifest.objects.exists()


# -- by the API -----------------------------------------------------------------------------


def test_the_api_tells_what_would_go_and_what_went(cast, container):
    now = cast.call("viewer", "GET", "/api/projects/web/container/manifest").json()
    assert now["container_id"] == container.docker_id[:12]
    assert now["contents"]["apt"] == {"count": 1, "names": ["ripgrep"]}
    assert now["contents"]["files"] == 1
    assert "ripgrep" in now["sentence"]
    refresh_container(project=cast.project, actor=HUB, reason="too old")
    kept = cast.call("viewer", "GET", "/api/projects/web/container/manifests").json()
    assert kept["next"] is None
    (one,) = kept["items"]
    assert (one["container_id"], one["reason"]) == (now["container_id"], "too old")
    assert one["contents"] == now["contents"]


def test_an_engine_that_is_away_is_503(cast, container, fake_engine):
    fake_engine.down = True
    assert cast.call("viewer", "GET", "/api/projects/web/container/manifest").status_code == 503
    assert cast.call("viewer", "GET", "/api/projects/web/container/manifests").status_code == 200
