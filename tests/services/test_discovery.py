"""Finding repositories below the workspace roots."""

import os

import pytest

from projects.services import discovery
from projects.services.discovery import Discovered, discover_projects
from tests.services.host import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


def repository(host, name, *, uid=1000):
    path = host.workspace(name, uid=uid)
    (path / ".git").mkdir()
    return path


def found():
    return [one.name for one in discover_projects()]


def test_a_repository_is_found_with_its_name_and_owner(host):
    path = repository(host, "web", uid=1001)
    assert discover_projects() == [Discovered(str(path), "web", 1001)]


def test_a_worktrees_git_file_counts_and_a_link_does_not(host):
    (host.workspace("worktree") / ".git").write_text("gitdir: elsewhere\n")
    (host.workspace("linked") / ".git").symlink_to(host.home)
    assert found() == ["worktree"]


def test_repositories_one_level_deeper_are_found_and_no_deeper_ones(host):
    repository(host, "group/web")
    repository(host, "group/sub/deep")
    assert found() == ["web"]


def test_a_repository_is_not_searched_for_others(host):
    repository(host, "web")
    repository(host, "web/vendored")
    assert found() == ["web"]


def test_links_hidden_directories_and_plain_ones_are_passed_over(host):
    outside = host.home / "outside"
    (outside / ".git").mkdir(parents=True)
    (host.roots / "link").symlink_to(outside)
    repository(host, ".hidden")
    host.workspace("plain")
    (host.roots / "file").write_text("")
    assert found() == []


def test_projects_what_is_inside_and_what_is_around_them_are_left_out(host):
    project = host.project("taken")
    (host.roots / "taken/.git").mkdir()
    repository(host, "taken/inner")
    repository(host, "around")
    other = host.project("other")
    other.path = str(repository(host, "around/other"))
    other.save()
    repository(host, "around/free")
    assert project.path
    assert found() == ["free"]


def test_a_name_that_cannot_be_written_down_is_passed_over(host):
    for name in (b"bad\xff", b"line\nbreak"):
        os.makedirs(os.path.join(os.fsencode(host.roots), name, b".git"))
    assert found() == []


def test_a_missing_root_has_nothing_and_two_roots_that_overlap_give_each_once(host):
    repository(host, "group/web")
    host.configure(workspace_roots=[host.roots / "missing", host.roots, host.roots / "group"])
    assert found() == ["web"]


def test_it_looks_at_a_bounded_number_of_entries(host, monkeypatch):
    for number in range(20):
        repository(host, f"r{number:02}")
    monkeypatch.setattr(discovery, "MOST_ENTRIES", 7)
    assert len(found()) == 7
