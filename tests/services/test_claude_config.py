"""A project's Claude config directory."""

import json
import os
import socket

import pytest

from projects.services.credentials import claude_config
from projects.services.credentials.claude_config import host_secrets, kept_config, remove_config
from tests.services.host import make_host, owned

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


@pytest.fixture
def logged_in(host):
    """A host with a login, settings and history."""
    host.write(".claude/.credentials.json", '{"claudeAiOauth": {"accessToken": "sk-ant-oat-access", "refreshToken": "sk-ant-ort-refresh"}}')
    host.write(".claude/settings.json", '{"model": "opus"}')
    host.write(".claude/config.json", "{}")
    host.write(".claude/history.jsonl", "secret talk")
    host.write(".claude/projects/x/talk.jsonl", "secret talk")
    state = {"theme": "light", "oauthAccount": {"emailAddress": "a@b.c"}, "projects": {"/home/me": {"history": ["secret talk"]}}, "tips": 3}
    host.write(".claude.json", json.dumps(state))
    return host


@pytest.mark.parametrize(("uid", "gid"), [(1000, 1000), (1001, 1002)])
def test_a_fresh_directory_belongs_to_the_containers_user_alone(host, uid, gid):
    answer = kept_config(host.project(), uid=uid, gid=gid)
    assert answer.path == host.data / "claude-config/web"
    assert owned(answer.path) == (uid, gid, 0o700)
    assert owned(answer.path / ".claude.json") == (uid, gid, 0o600)


def test_nothing_of_the_host_is_in_it_unless_lent(logged_in):
    answer = kept_config(logged_in.project(), uid=1000, gid=1000)
    assert os.listdir(answer.path) == [".claude.json"]
    assert json.loads((answer.path / ".claude.json").read_text()) == {"theme": "dark", "hasCompletedOnboarding": True}


def test_lent_it_has_the_hosts_login_and_never_its_history(logged_in):
    answer = kept_config(logged_in.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert sorted(os.listdir(answer.path)) == [".claude.json", ".credentials.json", "config.json", "settings.json"]
    state = json.loads((answer.path / ".claude.json").read_text())
    assert state == {"theme": "light", "oauthAccount": {"emailAddress": "a@b.c"}, "hasCompletedOnboarding": True}
    assert "accessToken" in (answer.path / ".credentials.json").read_text()
    assert not any("secret talk" in path.read_text() for path in answer.path.iterdir())
    assert all(owned(path) == (1000, 1000, 0o600) for path in answer.path.iterdir())


def test_the_state_file_inside_the_config_directory_wins(logged_in):
    logged_in.write(".claude/.claude.json", '{"theme": "dark-daltonized"}')
    answer = kept_config(logged_in.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert json.loads((answer.path / ".claude.json").read_text())["theme"] == "dark-daltonized"


@pytest.mark.parametrize("content", ["", "not json", "[1]", "\0"])
def test_a_broken_state_file_of_the_host_is_no_harm(host, content):
    host.write(".claude.json", content)
    answer = kept_config(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert json.loads((answer.path / ".claude.json").read_text())["hasCompletedOnboarding"] is True


def test_what_is_no_plain_file_on_the_host_is_left_out_with_a_sentence(host):
    host.write("elsewhere", "{}")
    (host.home / ".claude").mkdir()
    (host.home / ".claude/config.json").symlink_to(host.home / "elsewhere")
    os.mkfifo(host.home / ".claude/settings.json")
    answer = kept_config(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert os.listdir(answer.path) == [".claude.json"]
    assert len(answer.notes) == 2
    assert "no plain file" in answer.notes[0]


def test_it_is_kept_as_it_is_by_the_next_call(host):
    project = host.project()
    path = kept_config(project, uid=1000, gid=1000).path
    (path / "history.jsonl").write_text("mine")
    inode = path.stat().st_ino
    kept_config(project, uid=1000, gid=1000)
    assert path.stat().st_ino == inode
    assert (path / "history.jsonl").read_text() == "mine"


def test_links_that_a_container_planted_in_it_are_not_followed_by_the_next_call(host):
    precious = host.write("precious", "precious", 0o644)
    project = host.project()
    path = kept_config(project, uid=1000, gid=1000).path
    (path / ".claude.json").unlink()
    for name in (*claude_config.LENT_FILES, ".claude.json"):
        (path / name).symlink_to(precious)
    before = precious.stat()
    kept_config(project, uid=1000, gid=1000)
    assert precious.read_text() == "precious"
    assert owned(precious) == (before.st_uid, before.st_gid, 0o644)


def test_a_link_in_its_place_is_replaced_and_not_followed(host):
    elsewhere = host.home / "elsewhere"
    elsewhere.mkdir()
    (host.data / "claude-config").mkdir()
    (host.data / "claude-config/web").symlink_to(elsewhere)
    path = kept_config(host.project(), uid=1000, gid=1000).path
    assert path.is_dir()
    assert not path.is_symlink()
    assert os.listdir(elsewhere) == []


def test_a_killed_hub_leaves_no_half_filled_directory(host, monkeypatch):
    project = host.project()

    def killed(*_arguments, **_options):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            kept_config(project, uid=1000, gid=1000)
    assert not (host.data / "claude-config/web").exists()
    kept_config(project, uid=1000, gid=1000)
    assert sorted(os.listdir(host.data / "claude-config")) == [".lock", "web"]


def test_removal_takes_all_of_it_and_no_target_of_a_link(host, monkeypatch):
    precious = host.home / "precious"
    precious.mkdir()
    (precious / "file").write_text("precious")
    path = kept_config(host.project(uses_host_credentials=True), uid=1000, gid=1000).path
    (path / "to-file").symlink_to(precious / "file")
    (path / "to-directory").symlink_to(precious)
    (path / "shut").mkdir(mode=0)
    os.mkfifo(path / "pipe")
    monkeypatch.chdir(path)  # a socket's own path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket")
    monkeypatch.chdir("/")
    remove_config("web")
    assert os.listdir(host.data / "claude-config") == [".lock"]
    assert (precious / "file").read_text() == "precious"


def test_removal_of_a_link_in_its_place_leaves_the_target(host):
    precious = host.write("precious/file", "precious")
    (host.data / "claude-config").mkdir()
    (host.data / "claude-config/web").symlink_to(precious.parent)
    remove_config("web")
    assert not os.path.lexists(host.data / "claude-config/web")
    assert precious.read_text() == "precious"


def test_a_very_deep_tree_is_removed(host):
    path = kept_config(host.project(), uid=1000, gid=1000).path
    descriptor = os.open(path, os.O_DIRECTORY)
    for _level in range(3000):
        os.mkdir("deep" * 20, dir_fd=descriptor)
        inner = os.open("deep" * 20, os.O_DIRECTORY, dir_fd=descriptor)
        os.close(descriptor)
        descriptor = inner
    os.close(descriptor)
    remove_config("web")
    assert os.listdir(host.data / "claude-config") == [".lock"]


def test_removal_is_quiet_when_there_is_nothing(host):
    remove_config("web")
    kept_config(host.project(), uid=1000, gid=1000)
    remove_config("web")
    remove_config("web")


def test_the_hosts_tokens_are_known_for_masking(logged_in):
    assert sorted(host_secrets()) == ["sk-ant-oat-access", "sk-ant-ort-refresh"]
