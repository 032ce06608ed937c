"""The change of a workspace's owner, and what else is done in a throw-away container."""

import json
import os
import uuid

import pytest

from projects.engine.base import ContainerSpec
from projects.models import Event
from projects.services import throwaway
from projects.services.claims import take_claim
from projects.services.credentials.claude_config import kept_config
from projects.services.engines import current_engine
from projects.services.errors import BadInput, Busy, ImageMissing, Unready
from projects.services.instance import instance_id
from projects.services.ownership import change_owner
from projects.services.record import Actor
from projects.services.spec import LABEL_INSTANCE, container_name
from projects.states import Action
from tests.services.host import make_host, owned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.live]
ANN = Actor(name="ann")


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    host = make_host(tmp_path, settings, monkeypatch)
    host.configure(name_prefix=f"t{uuid.uuid4().hex[:8]}", base_image="debian:bookworm-slim")
    yield host
    for found in ours():
        current_engine().containers.remove(found.docker_id, force=True)


def ours():
    return current_engine().containers.list(labels={LABEL_INSTANCE: instance_id()})


def own_container(host, project, *command):
    """A container under the project's name."""
    return current_engine().containers.create(
        ContainerSpec(
            name=container_name(project, host.settings.CONTAINERHUB),
            image="debian:bookworm-slim",
            command=command,
            labels={LABEL_INSTANCE: instance_id()},
            restart_policy="no",
        )
    )


@pytest.mark.parametrize(("uid", "gid"), [(1000, 1000), (1001, 1002)])
def test_everything_in_the_workspace_gets_the_owner_and_no_target_of_a_link(host, uid, gid):
    project = host.project(uid=0, gid=0)
    precious = host.write("precious/file", "precious")
    inner = host.roots / "web/folder"
    inner.mkdir()
    (inner / "file").write_text("x")
    (inner / "to-file").symlink_to(precious)
    (inner / "to-directory").symlink_to(precious.parent)
    (inner / "to-shadow").symlink_to("/etc/shadow")
    shadow = os.stat("/etc/shadow")
    change_owner(project=project, actor=ANN, uid=uid, gid=gid)
    for path in (inner.parent, inner, *inner.iterdir()):
        assert owned(path)[:2] == (uid, gid)
    assert owned(precious)[:2] == owned(precious.parent)[:2] == (0, 0)
    assert (os.stat("/etc/shadow").st_uid, os.stat("/etc/shadow").st_gid) == (shadow.st_uid, shadow.st_gid)
    assert ours() == []


def test_it_is_recorded_and_the_project_is_free_again(host):
    project = host.project(uid=0, gid=0)
    change_owner(project=project, actor=ANN)
    event = Event.objects.get(kind="workspace.owner_changed")
    assert (event.actor_name, event.project_slug, event.details) == ("ann", "web", {"uid": 1000, "gid": 1000})
    project.refresh_from_db()
    assert project.pending_action == ""


def test_the_claude_config_directory_goes_with_it(host):
    project = host.project()
    path = kept_config(project, uid=1000, gid=1000).path
    change_owner(project=project, actor=ANN, uid=1001, gid=1001)
    assert owned(path)[:2] == owned(path / ".claude.json")[:2] == (1001, 1001)


@pytest.mark.parametrize(("uid", "gid"), [(0, 1000), (1000, 0), (-1, 1000), (2**31, 1000), ("1000", 1000), (True, 1000)])
def test_bad_numbers_are_refused(host, uid, gid):
    with pytest.raises(BadInput):
        change_owner(project=host.project(), actor=ANN, uid=uid, gid=gid)


def test_it_is_refused_while_the_container_runs_and_not_when_it_is_stopped(host):
    project = host.project(uid=0, gid=0)
    docker_id = own_container(host, project, "sleep", "600")
    current_engine().containers.start(docker_id)
    with pytest.raises(Busy, match="running"):
        change_owner(project=project, actor=ANN)
    project.refresh_from_db()
    assert project.pending_action == ""
    assert owned(host.roots / "web")[:2] == (0, 0)
    current_engine().containers.stop(docker_id, grace_seconds=1)
    change_owner(project=project, actor=ANN)
    assert owned(host.roots / "web")[:2] == (1000, 1000)


def test_it_is_refused_while_another_action_is_under_way(host):
    project = host.project(uid=0, gid=0)
    assert take_claim(project, Action.START)
    with pytest.raises(Busy, match="start is under way"):
        change_owner(project=project, actor=ANN)


def test_a_workspace_swapped_for_a_link_is_not_touched(host):
    project = host.project(uid=0, gid=0)
    elsewhere = host.workspace("elsewhere", uid=0, gid=0)
    os.rmdir(project.path)
    os.symlink(elsewhere, project.path)
    with pytest.raises(Unready, match="link to another place"):
        change_owner(project=project, actor=ANN)
    assert owned(elsewhere)[:2] == (0, 0)


def test_a_missing_image_is_told_and_nothing_stays_behind(host):
    project = host.project(uid=0, gid=0, image=f"nowhere-{uuid.uuid4().hex}:latest")
    with pytest.raises(ImageMissing):
        change_owner(project=project, actor=ANN)
    project.refresh_from_db()
    assert (project.pending_action, ours()) == ("", [])


def test_a_failed_command_says_its_own_words_and_its_container_is_removed(host):
    with pytest.raises(Unready, match="no way"):
        throwaway.run_as_root(project=host.project(), command=("sh", "-c", "echo no way >&2; exit 3"), mounts=(), purpose="chown")
    assert ours() == []


def test_what_a_killed_hub_left_running_is_removed_by_the_next_change(host):
    project = host.project(uid=0, gid=0)
    current_engine().containers.create(
        ContainerSpec(
            name=f"{host.settings.CONTAINERHUB.name_prefix}-chown-web-left",
            image="debian:bookworm-slim",
            command=("sleep", "600"),
            labels=throwaway._labels("chown", project.slug),
        )
    )
    change_owner(project=project, actor=ANN)
    assert ours() == []


# -- the config directory, once a container has had it --------------------------------------


@pytest.fixture
def logged_in(host):
    host.write(".claude/.credentials.json", '{"claudeAiOauth": {"accessToken": "sk-ant-access"}}')
    host.write(".claude/settings.json", '{"model": "opus"}')
    return host


def test_a_config_directory_of_another_owner_is_given_to_the_new_one_inside_a_container(host):
    project = host.project()
    precious = host.write("precious", "precious")
    path = kept_config(project, uid=1000, gid=1000).path
    (path / "link").symlink_to(precious)
    kept_config(project, uid=1001, gid=1001)
    assert owned(path)[:2] == owned(path / ".claude.json")[:2] == owned(path / "link")[:2] == (1001, 1001)
    assert owned(precious)[:2] == (0, 0)


def test_a_login_lent_later_arrives_and_never_overwrites(logged_in):
    project = logged_in.project()
    path = kept_config(project, uid=1000, gid=1000).path
    (path / "settings.json").write_text("mine")
    project.uses_host_credentials = True
    notes = kept_config(project, uid=1000, gid=1000).notes
    assert notes == ("The host's Claude login was put into the project's Claude config directory.",)
    assert "sk-ant-access" in (path / ".credentials.json").read_text()
    assert owned(path / ".credentials.json") == (1000, 1000, 0o600)
    assert (path / "settings.json").read_text() == "mine"
    assert kept_config(project, uid=1000, gid=1000).notes == ()


def test_a_login_taken_back_is_gone_and_history_stays(logged_in):
    project = logged_in.project(uses_host_credentials=True)
    path = kept_config(project, uid=1000, gid=1000).path
    (path / "history.jsonl").write_text("mine")
    project.uses_host_credentials = False
    notes = kept_config(project, uid=1000, gid=1000).notes
    assert notes == ("The host's Claude login was taken out of the project's Claude config directory.",)
    assert not (path / ".credentials.json").exists()
    assert (path / "history.jsonl").read_text() == "mine"
    assert json.loads((path / ".claude.json").read_text())["hasCompletedOnboarding"] is True
    assert sorted(os.listdir(path.parent)) == [".lock", "web"]


def test_a_login_lent_later_is_not_written_through_a_planted_link(logged_in):
    precious = logged_in.write("precious", "precious", 0o666)
    project = logged_in.project()
    path = kept_config(project, uid=1000, gid=1000).path
    (path / ".credentials.json").symlink_to(precious)
    project.uses_host_credentials = True
    kept_config(project, uid=1000, gid=1000)
    assert precious.read_text() == "precious"
