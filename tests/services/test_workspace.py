"""Which directories may be a workspace."""

import os
import socket
import subprocess
import sys
import threading

import pytest

from projects.services.errors import BadInput, Busy, Unready
from projects.services.safe_files import locked
from projects.services.workspace import Owner, checked_path, demand_usable_owner, owner_of, path_lock, recheck
from tests.services.host import make_host

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


def test_a_directory_below_a_root_is_answered_resolved(host):
    path = host.workspace("web")
    assert checked_path(f"{path.parent}/./web/../web//") == str(path)


def test_a_directory_deeper_below_a_root_may_be_a_workspace(host):
    path = host.workspace("group/web")
    assert checked_path(str(path)) == str(path)


@pytest.mark.parametrize(
    "path", ["", "  ", "relative", "~/web", "a\0b", "/tmp/a\nb", "/tmp/\x7f", "/tmp/\ud800", "/" + "a" * 1000, None, 7, ["/tmp"]]
)
def test_what_is_no_proper_path_is_refused(host, path):
    with pytest.raises(BadInput):
        checked_path(path)


@pytest.mark.parametrize(
    "path",
    ["/", "/etc", "/etc/ssl", "/usr", "/usr/share", "/proc/self", "/sys", "/dev", "/run", "/var", "/var/run", "/tmp", "/home", "/root"],
)
def test_a_system_directory_is_refused_even_when_everything_is_a_root(host, path):
    host.configure(workspace_roots=["/"])
    with pytest.raises(BadInput):
        checked_path(path)


def test_a_root_itself_is_refused(host):
    with pytest.raises(BadInput, match="not below a workspace root"):
        checked_path(str(host.roots))


def test_a_directory_whose_name_only_begins_like_a_root_is_refused(host):
    (host.roots.parent / "roots-2").mkdir()
    with pytest.raises(BadInput, match="not below a workspace root"):
        checked_path(str(host.roots.parent / "roots-2"))


def test_dots_that_lead_out_of_the_root_are_refused(host):
    host.workspace("web")
    with pytest.raises(BadInput, match="not below a workspace root"):
        checked_path(f"{host.roots}/web/../../home")


def test_a_link_that_leads_out_of_the_root_is_refused(host):
    (host.roots / "link").symlink_to("/etc")
    with pytest.raises(BadInput):
        checked_path(str(host.roots / "link"))
    with pytest.raises(BadInput):
        checked_path(str(host.roots / "link" / "ssl"))


def test_a_link_that_stays_inside_is_answered_by_its_target(host):
    path = host.workspace("web")
    (host.roots / "link").symlink_to(path)
    assert checked_path(str(host.roots / "link")) == str(path)


def test_a_missing_directory_and_a_file_are_refused(host):
    (host.roots / "file").write_text("")
    for name in ("missing", "file", "file/below"):
        with pytest.raises(BadInput):
            checked_path(str(host.roots / name))


def test_a_loop_of_links_is_refused(host):
    (host.roots / "a").symlink_to(host.roots / "b")
    (host.roots / "b").symlink_to(host.roots / "a")
    with pytest.raises(BadInput):
        checked_path(str(host.roots / "a"))


def test_the_data_directory_its_inside_and_what_is_around_it_are_refused(host):
    data = host.workspace("around/data", uid=0, gid=0)
    inside = host.workspace("around/data/inside", uid=0, gid=0)
    host.configure(data_dir=data)
    for path in (data, inside, data.parent):
        with pytest.raises(BadInput, match="hub's own directory"):
            checked_path(str(path))


def test_what_holds_the_docker_socket_is_refused(host, monkeypatch, tmp_path):
    path = host.workspace("web")
    monkeypatch.chdir(path)  # a socket's own path must be short
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("docker.sock")
        monkeypatch.setenv("DOCKER_HOST", f"unix://{path}/docker.sock")
        with pytest.raises(BadInput, match="Docker socket"):
            checked_path(str(path))


def test_what_holds_a_link_through_which_the_docker_socket_is_reached_is_refused(host, monkeypatch, tmp_path):
    path = host.workspace("web")
    (path / "docker.sock").symlink_to("/run/elsewhere.sock")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{path}/docker.sock")
    with pytest.raises(BadInput, match="Docker socket"):
        checked_path(str(path))


def test_what_holds_the_hubs_home_is_refused(host, monkeypatch):
    path = host.workspace("web")
    monkeypatch.setenv("HOME", str(path / "me"))
    with pytest.raises(BadInput, match="home directory"):
        checked_path(str(path))


def test_another_projects_workspace_its_inside_and_what_is_around_it_are_refused(host):
    taken = host.project("group/web".replace("/", "-"))
    inner = host.workspace("group-web/inner")
    outer = host.workspace("outer", uid=0)
    other = host.project("inside", uid=0)
    other.path = str(host.workspace("outer/inside", uid=0))
    other.save()
    for path in (taken.path, str(inner), str(outer)):
        with pytest.raises(BadInput, match="workspace of the project"):
            checked_path(path)


def test_a_neighbour_whose_name_begins_alike_is_no_nesting(host):
    host.project("web")
    path = host.workspace("web-2")
    assert checked_path(str(path)) == str(path)


def test_a_project_may_keep_its_own_path(host):
    project = host.project("web")
    assert checked_path(project.path, project=project) == project.path


def test_a_parent_that_anyone_may_write_is_refused_unless_it_is_sticky(host):
    path = host.workspace("open/web")
    path.parent.chmod(0o777)
    with pytest.raises(BadInput, match="can be written by anyone"):
        checked_path(str(path))
    path.parent.chmod(0o1777)
    assert checked_path(str(path)) == str(path)


def test_a_parent_of_the_workspaces_owner_is_refused(host):
    path = host.workspace("open/web", uid=1001, gid=1001)
    os.chown(path.parent, 1001, 0)
    with pytest.raises(BadInput, match="by the owner of the workspace"):
        checked_path(str(path))
    path.parent.chmod(0o555)
    assert checked_path(str(path)) == str(path)


def test_a_parent_that_the_owners_group_may_write_is_refused(host):
    path = host.workspace("open/web", uid=1001, gid=1001)
    os.chown(path.parent, 0, 1001)
    path.parent.chmod(0o775)
    with pytest.raises(BadInput, match="by the owner of the workspace"):
        checked_path(str(path))


def test_a_hub_that_is_not_root_serves_its_own_directories_only(host, monkeypatch):
    mine, foreign = host.workspace("mine", uid=1000), host.workspace("foreign", uid=1001)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert checked_path(str(mine)) == str(mine)
    with pytest.raises(BadInput, match="runs as uid 1000"):
        checked_path(str(foreign))


def test_the_owner_is_the_directorys(host):
    assert owner_of(str(host.workspace("web", uid=1001, gid=1002))) == Owner(1001, 1002)


@pytest.mark.parametrize(
    ("uid", "gid", "given"), [(1000, 1000, Owner(1000, 1000)), (1001, 100, Owner(1001, 100)), (1001, 0, Owner(1001, 1001))]
)
def test_claude_gets_the_owners_numbers_and_never_roots_group(host, uid, gid, given):
    assert demand_usable_owner(host.project(uid=uid, gid=gid)) == given


def test_a_workspace_of_root_is_accepted_but_not_ready(host):
    project = host.project(uid=0, gid=0)
    assert checked_path(project.path, project=project) == project.path
    with pytest.raises(Unready, match=r"belongs to root.*administrator"):
        recheck(project)


def test_a_workspace_swapped_for_a_link_is_noticed(host):
    project = host.project()
    elsewhere = host.workspace("elsewhere")
    os.rmdir(project.path)
    os.symlink(elsewhere, project.path)
    with pytest.raises(Unready, match="link to another place"):
        recheck(project)
    os.unlink(project.path)
    os.symlink("/etc", project.path)
    with pytest.raises(Unready):
        recheck(project)


def test_a_vanished_workspace_is_noticed(host):
    project = host.project()
    os.rmdir(project.path)
    with pytest.raises(Unready, match="cannot be used now"):
        recheck(project)


def test_a_workspace_in_order_is_answered_with_its_owner(host):
    assert recheck(host.project(uid=1001, gid=1001)) == Owner(1001, 1001)


def test_the_path_lock_holds_back_other_threads(host):
    order: list[str] = []

    def other() -> None:
        with path_lock():
            order.append("other")

    thread = threading.Thread(target=other)
    with path_lock():
        thread.start()
        order.append("mine")
    thread.join()
    assert order == ["mine", "other"]


HOLD = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()"


def test_a_lock_held_by_another_process_is_busy_and_ends_with_it(tmp_path):
    command = [sys.executable, "-c", HOLD, str(tmp_path / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(Busy), locked(tmp_path / "lock", timeout_seconds=0.1):
            pass
        process.kill()
        process.wait()
        with locked(tmp_path / "lock", timeout_seconds=5):
            pass
