"""Copies of the host's git and SSH files, and the git tokens, as a container gets them."""

import base64
import os
import socket

import pytest

from projects.engine.base import Mount
from projects.models import GitCredential
from projects.services.credentials import exec_environment, remove_lent, secret_values, update_lent
from projects.services.credentials.lent import keep_lent
from tests.services.host import make_host, owned

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


@pytest.fixture
def rich(host):
    """A host that has all that can be lent."""
    host.write(".ssh/id_ed25519", "PRIVATE")
    host.write(".ssh/known_hosts", "known", 0o644)
    host.write(".gitconfig", "[user]\n\tname = Ann\n[credential]\n\thelper = store\n[include]\n\tpath = x\n")
    host.configure(github_token="ghp_lent")
    return host


def test_the_git_directory_is_mounted_always_and_read_only(host):
    mounts, notes = keep_lent(host.project(), uid=1000, gid=1000)
    assert mounts == (Mount(str(host.data / "lent/web/git"), "/run/containerhub-lent/git", read_only=True),)
    assert notes == ()
    assert owned(host.data / "lent/web/git") == (1000, 1000, 0o700)
    assert owned(host.data / "lent/web") == (0, 0, 0o700)


@pytest.mark.parametrize(("uid", "gid"), [(1000, 1000), (1001, 1002)])
def test_lent_files_are_copies_that_the_containers_user_owns(rich, uid, gid):
    mounts, notes = keep_lent(rich.project(uses_host_credentials=True), uid=uid, gid=gid)
    place = rich.data / "lent/web"
    assert mounts[1:] == (
        Mount(str(place / "ssh"), "/home/claude/.ssh", read_only=True),
        Mount(str(place / "gitconfig"), "/home/claude/.gitconfig", read_only=True),
    )
    assert owned(place / "ssh") == (uid, gid, 0o700)
    assert owned(place / "ssh/id_ed25519") == (uid, gid, 0o600)
    assert (place / "ssh/id_ed25519").read_text() == "PRIVATE"
    assert (place / "gitconfig").read_text() == "[user]\n\tname = Ann\n"
    assert owned(place / "git/github.com") == (uid, gid, 0o400)
    assert (place / "git/github.com").read_text() == "x-access-token\nghp_lent\n"
    assert notes == ("Of the host's ~/.gitconfig these sections were left out: credential, include.",)
    assert owned(rich.home / ".ssh/id_ed25519") == (0, 0, 0o600)


def test_nothing_of_the_hosts_is_lent_without_the_switch(rich):
    mounts, _notes = keep_lent(rich.project(), uid=1000, gid=1000)
    assert len(mounts) == 1
    assert os.listdir(rich.data / "lent/web") == ["git"]
    assert os.listdir(rich.data / "lent/web/git") == []


def test_what_the_host_has_not_is_told(host):
    mounts, notes = keep_lent(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert len(mounts) == 1
    assert notes == ("The host has no ~/.ssh, so no SSH key is lent.", "The host has no ~/.gitconfig, so none is lent.")


def test_a_broken_gitconfig_is_left_out_whole(host):
    host.write(".gitconfig", "[credential\nhelper = x\n")
    _mounts, notes = keep_lent(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert any("not well formed" in note for note in notes)
    assert not (host.data / "lent/web/gitconfig").exists()


def test_a_directory_in_place_of_the_gitconfig_is_left_out(host):
    (host.home / ".gitconfig").mkdir()
    _mounts, notes = keep_lent(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert any("no plain file" in note for note in notes)


def test_a_linked_gitconfig_is_left_out(host):
    host.write("dotfiles/gitconfig", "[user]\n\tname = Ann\n")
    (host.home / ".gitconfig").symlink_to(host.home / "dotfiles/gitconfig")
    _mounts, notes = keep_lent(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert any("no plain file" in note for note in notes)


def test_links_sockets_and_folders_in_the_ssh_directory_are_left_out(rich, monkeypatch):
    (rich.home / ".ssh/link").symlink_to("/etc/shadow")
    (rich.home / ".ssh/folder").mkdir()
    monkeypatch.chdir(rich.home / ".ssh")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("agent")
        _mounts, notes = keep_lent(rich.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert sorted(os.listdir(rich.data / "lent/web/ssh")) == ["id_ed25519", "known_hosts"]
    assert any("agent, folder, link" in note for note in notes)


def test_a_link_in_place_of_the_ssh_directory_is_left_out(host):
    host.write("keys/id", "PRIVATE")
    (host.home / ".ssh").symlink_to(host.home / "keys")
    mounts, _notes = keep_lent(host.project(uses_host_credentials=True), uid=1000, gid=1000)
    assert len(mounts) == 1


def test_a_projects_own_token_stands_under_its_host_and_port(host):
    project = host.project()
    GitCredential.objects.create(project=project, host="git.example.com:8443", username="bot", token="s3cret")
    keep_lent(project, uid=1000, gid=1000)
    assert (host.data / "lent/web/git/git.example.com_8443").read_text() == "bot\ns3cret\n"


def test_the_projects_own_github_token_wins_over_the_hosts(rich):
    project = rich.project(uses_host_credentials=True)
    assert exec_environment(project) == {"GITHUB_TOKEN": "ghp_lent"}
    GitCredential.objects.create(project=project, host="github.com", token="ghp_own")
    assert exec_environment(project) == {"GITHUB_TOKEN": "ghp_own"}


def test_without_a_loan_an_exec_gets_no_secret(rich):
    project = rich.project()
    GitCredential.objects.create(project=project, host="git.example.com", token="s3cret")
    assert exec_environment(project) == {}


def test_every_secret_is_known_for_masking_also_as_basic_authentication(rich):
    rich.write(".claude/.credentials.json", '{"claudeAiOauth": {"accessToken": "sk-ant-access", "scopes": ["user"]}}')
    project = rich.project(uses_host_credentials=True)
    GitCredential.objects.create(project=project, host="git.example.com", username="bot", token="s3cret")
    GitCredential.objects.create(project=project, host="short.example.com", username="bot", token="abc")
    secrets = secret_values(project)
    assert {"ghp_lent", "s3cret", "sk-ant-access", base64.b64encode(b"bot:s3cret").decode()} <= set(secrets)
    assert "abc" not in secrets
    assert secrets == sorted(secrets, key=lambda secret: (-len(secret), secret))


def test_without_a_loan_the_hosts_secrets_are_not_masked_for(rich):
    assert secret_values(rich.project()) == []


def test_changes_arrive_in_the_directory_that_a_container_has_mounted(host):
    project = host.project()
    keep_lent(project, uid=1001, gid=1002)
    mounted = os.open(host.data / "lent/web/git", os.O_DIRECTORY)
    row = GitCredential.objects.create(project=project, host="git.example.com", token="s3cret")
    update_lent(project)
    assert os.listdir(mounted) == ["git.example.com"]
    assert owned(host.data / "lent/web/git/git.example.com") == (1001, 1002, 0o400)
    row.delete()
    update_lent(project)
    assert os.listdir(mounted) == []
    os.close(mounted)


def test_a_withdrawn_loan_leaves_empty_places_that_a_stopped_container_can_mount(rich):
    project = rich.project(uses_host_credentials=True)
    mounts, _notes = keep_lent(project, uid=1000, gid=1000)
    project.uses_host_credentials = False
    update_lent(project)
    assert all(os.path.exists(mount.source) for mount in mounts)
    assert os.listdir(rich.data / "lent/web/ssh") == []
    assert os.listdir(rich.data / "lent/web/git") == []
    assert (rich.data / "lent/web/gitconfig").read_text() == ""
    assert len(keep_lent(project, uid=1000, gid=1000)[0]) == 1


def test_an_update_makes_nothing_for_a_project_without_a_container(host):
    update_lent(host.project())
    assert not (host.data / "lent").exists()


def test_a_new_owner_gets_all_of_it(rich):
    project = rich.project(uses_host_credentials=True)
    keep_lent(project, uid=1000, gid=1000)
    keep_lent(project, uid=1001, gid=1001)
    for name in ("git", "git/github.com", "ssh", "ssh/id_ed25519", "gitconfig"):
        assert owned(rich.data / "lent/web" / name)[:2] == (1001, 1001)


def test_links_planted_in_the_lent_directory_are_not_followed(rich):
    precious = rich.write("precious/file", "precious", 0o644)
    project = rich.project(uses_host_credentials=True)
    keep_lent(project, uid=1000, gid=1000)
    place = rich.data / "lent/web"
    for name in ("git/github.com", "gitconfig", "ssh/id_ed25519"):
        (place / name).unlink()
        (place / name).symlink_to(precious)
    (place / "git/extra").symlink_to(precious.parent)
    (place / ".gone-x").symlink_to(precious.parent)
    keep_lent(project, uid=1000, gid=1000)
    assert precious.read_text() == "precious"
    assert owned(precious) == (0, 0, 0o644)
    assert (place / "ssh/id_ed25519").read_text() == "PRIVATE"
    assert not (place / "ssh/id_ed25519").is_symlink()


def test_removal_takes_all_of_it_and_no_target_of_a_link(rich):
    precious = rich.write("precious/file", "precious")
    keep_lent(rich.project(uses_host_credentials=True), uid=1000, gid=1000)
    (rich.data / "lent/web/git/link").symlink_to(precious.parent)
    remove_lent("web")
    remove_lent("web")
    assert os.listdir(rich.data / "lent") == [".lock"]
    assert precious.read_text() == "precious"
