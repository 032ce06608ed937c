"""All that a container is given, together."""

import ctypes
import os
import uuid

import pytest

from projects.engine.base import ContainerSpec, ExecSpec, Mount
from projects.models import GitCredential
from projects.services.credentials import prepare, remove_config, remove_lent
from projects.services.engines import current_engine
from projects.services.errors import Unready
from projects.services.git_credentials import set_git_credential
from projects.services.record import Actor
from projects.services.safe_files import directory, remove_tree
from tests.services.host import make_host

SECRETS = ("ghp_lent", "s3cret", "PRIVATE", "sk-ant-access")


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    host = make_host(tmp_path, settings, monkeypatch)
    host.write("bin/claude", b"\x7fELFclaude", 0o755)
    host.write(".ssh/id_ed25519", "PRIVATE")
    host.write(".gitconfig", "[user]\n\tname = Ann\n")
    host.write(".claude/.credentials.json", '{"claudeAiOauth": {"accessToken": "sk-ant-access"}}')
    host.configure(github_token="ghp_lent")
    return host


@pytest.mark.django_db
def test_a_rich_host_gives_all_of_it(host):
    lent = prepare(host.project(uses_host_credentials=True), uid=1000, gid=1000, engine_is_local=True)
    cli = next(path for path in (host.data / "claude-cli").iterdir() if len(path.name) == 64)
    assert lent.mounts == (
        Mount(str(host.data / "claude-config/web"), "/home/claude/.claude"),
        Mount(str(host.data / "lent/web/git"), "/run/containerhub-lent/git", read_only=True),
        Mount(str(host.data / "lent/web/ssh"), "/home/claude/.ssh", read_only=True),
        Mount(str(host.data / "lent/web/gitconfig"), "/home/claude/.gitconfig", read_only=True),
        Mount(str(cli / "claude"), "/usr/local/bin/claude", read_only=True),
    )
    assert lent.environment == {
        "CLAUDE_CONFIG_DIR": "/home/claude/.claude",
        "GIT_ASKPASS": "/usr/local/bin/git-askpass-helper",
        "CONTAINERHUB_HAS_CLAUDE_CLI": "1",
    }
    assert lent.notes == ()


@pytest.mark.django_db
def test_no_secret_stands_in_what_a_container_is_made_from(host):
    project = host.project(uses_host_credentials=True)
    GitCredential.objects.create(project=project, host="git.example.com", token="s3cret")
    lent = prepare(project, uid=1000, gid=1000, engine_is_local=True)
    assert not any(secret in repr(lent) for secret in SECRETS)


@pytest.mark.django_db
def test_a_poor_host_gives_what_it_has_and_says_what_not(tmp_path, settings, monkeypatch):
    host = make_host(tmp_path, settings, monkeypatch)
    lent = prepare(host.project(uses_host_credentials=True), uid=1000, gid=1000, engine_is_local=True)
    assert [mount.target for mount in lent.mounts] == ["/home/claude/.claude", "/run/containerhub-lent/git"]
    assert "CONTAINERHUB_HAS_CLAUDE_CLI" not in lent.environment
    assert [note.split(",")[0].split(":")[0] for note in lent.notes] == [
        "No Claude CLI was found on this host",
        "The host has no ~/.ssh",
        "The host has no ~/.gitconfig",
    ]


@pytest.mark.django_db
def test_an_engine_elsewhere_gets_no_file_and_a_sentence_says_so(host):
    lent = prepare(host.project(uses_host_credentials=True), uid=1000, gid=1000, engine_is_local=False)
    assert lent.mounts == ()
    assert "another machine" in lent.notes[0]
    assert os.listdir(host.data) == []


@pytest.mark.django_db
def test_it_is_repeatable(host):
    project = host.project(uses_host_credentials=True)
    first = prepare(project, uid=1000, gid=1000, engine_is_local=True)
    assert prepare(project, uid=1000, gid=1000, engine_is_local=True) == first


@pytest.mark.django_db
def test_a_data_directory_behind_a_link_is_mounted_by_its_real_path(host):
    (host.home / "link").symlink_to(host.data)
    host.configure(data_dir=host.home / "link")
    lent = prepare(host.project(), uid=1000, gid=1000, engine_is_local=True)
    assert all(mount.source.startswith(str(host.data)) for mount in lent.mounts)


@pytest.mark.django_db
def test_a_hub_that_is_not_root_cannot_give_to_others(host, monkeypatch):
    project = host.project()
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(Unready, match="uid 1001"):
        prepare(project, uid=1001, gid=1001, engine_is_local=True)


def test_a_hub_that_is_not_root_removes_what_its_own_uid_shut_away(tmp_path):
    (tmp_path / "tree/shut/inner").mkdir(parents=True)
    (tmp_path / "tree/shut/inner/file").write_text("x")
    for path in (tmp_path, tmp_path / "tree", tmp_path / "tree/shut/inner/file", tmp_path / "tree/shut/inner", tmp_path / "tree/shut"):
        os.chown(path, 1000, 1000)
    (tmp_path / "tree/shut/inner").chmod(0)
    (tmp_path / "tree/shut").chmod(0)
    with directory(tmp_path) as place:
        os.seteuid(1000)
        try:
            ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE: as for a process that was never root, /proc/self is its own
            remove_tree("tree", dir_fd=place)
        finally:
            os.seteuid(0)
    assert os.listdir(tmp_path) == []


@pytest.mark.live
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("uid", [1000, 1001])
def test_in_a_real_container_its_user_reads_all_of_it_and_writes_only_his_config(host, uid):
    project = host.project(uid=uid, gid=uid, uses_host_credentials=True)
    lent = prepare(project, uid=uid, gid=uid, engine_is_local=True)
    engine = current_engine()
    docker_id = engine.containers.create(
        ContainerSpec(
            name=f"t{uuid.uuid4().hex[:12]}",
            image="debian:bookworm-slim",
            command=("sleep", "600"),
            mounts=lent.mounts,
            restart_policy="no",
        )
    )
    try:
        engine.containers.start(docker_id)
        set_git_credential(project=project, host="git.example.com", token="s3cret", actor=Actor(name="ann"))
        script = """
            cd /home/claude && cat .ssh/id_ed25519 .gitconfig .claude/.credentials.json /run/containerhub-lent/git/*
            head -c 4 /usr/local/bin/claude | tail -c 3; echo
            for place in .ssh/x .ssh/id_ed25519 .gitconfig /run/containerhub-lent/git/x /usr/local/bin/claude .claude/mine; do
                (echo x > $place) 2>/dev/null && echo wrote $place
            done
            true
        """
        said = bytearray()
        spec = ExecSpec(command=("bash", "-c", script), user=f"{uid}:{uid}", working_dir="/")
        outcome = engine.execs.run(docker_id, spec, sink=lambda _stream, data: said.extend(data), timeout_seconds=60)
    finally:
        engine.containers.remove(docker_id, force=True)
    assert outcome.exit_code == 0
    assert [word for word in (*SECRETS, "ELF", "name = Ann") if word not in said.decode()] == []
    assert said.decode().count("wrote") == 1
    assert "wrote .claude/mine" in said.decode()
    remove_lent("web")
    remove_config("web")
    assert not (host.data / "lent/web").exists()
    assert not (host.data / "claude-config/web").exists()
