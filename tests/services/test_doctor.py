"""The doctor's findings, each provoked by what it warns of."""

import os
import socket
import threading
import time
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from containerhub.config import Config
from projects.engine.base import ContainerSpec, Engine
from projects.engine.errors import EngineUnreachable
from projects.models import Event, Heartbeat, Project
from projects.services import doctor
from projects.services.doctor import engine as engine_checks
from projects.services.doctor import files, hub, network, workspaces
from projects.services.doctor.finding import Finding, Severity
from projects.services.engines import use_engine
from projects.services.images import LABEL_IMAGE
from projects.services.instance import instance_id
from projects.services.spec import hub_labels, network_name
from projects.services.throwaway import LABEL_PURPOSE, TIMEOUT_SECONDS
from tests.engine.fake import FakeEngine


def only(findings: Iterable[Finding]) -> Finding:
    found = list(findings)
    assert len(found) == 1, found
    return found[0]


def settings_with(tmp_path: Path, **changes):
    data = tmp_path / "data"
    data.mkdir(mode=0o700, exist_ok=True)
    config = Config(**{"data_dir": data, "workspace_roots": [tmp_path / "roots"], "run_free_disk_mb": 1, **changes})
    return override_settings(CONTAINERHUB=config, DATA_DIR=data)


class Unreachable:
    """An Engine that is down: nobody gets past its ping."""

    def ping(self, *, timeout_seconds: float = 3) -> None:
        raise EngineUnreachable("The Docker Engine does not answer; start it.")


# -- files ----------------------------------------------------------------------------------


def test_a_data_directory_that_others_can_enter_is_an_error(tmp_path):
    with settings_with(tmp_path):
        assert next(iter(files.data_directory())).ok is True
        (tmp_path / "data").chmod(0o750)
        finding = next(iter(files.data_directory()))
    assert (finding.ok, finding.severity) == (False, Severity.ERROR)
    assert finding.remedy == f"chmod 700 {tmp_path / 'data'}"


def test_too_little_room_for_output_is_an_error(tmp_path):
    with settings_with(tmp_path, run_free_disk_mb=10**9):
        finding = list(files.data_directory())[1]
    assert (finding.check, finding.ok, finding.severity) == ("data disk", False, Severity.ERROR)


@pytest.mark.parametrize("name", ["secret-key", "encryption-key", "lent/docs/git/example.org", "lent/docs/ssh/id_ed25519"])
def test_a_secret_that_others_can_read_is_an_error(tmp_path, name):
    with settings_with(tmp_path):
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("secret")
        path.chmod(0o600)
        assert only(files.secret_files()).ok is True
        path.chmod(0o640)
        finding = only(files.secret_files())
    assert finding.ok is False
    assert str(path) in finding.message


def test_public_halves_and_links_are_no_open_secrets(tmp_path):
    with settings_with(tmp_path):
        folder = tmp_path / "data" / "lent" / "docs" / "ssh"
        folder.mkdir(parents=True)
        for name in ("id_ed25519.pub", "known_hosts", "config"):
            (folder / name).write_text("public")
        (folder / "planted").symlink_to("/etc/passwd")
        assert only(files.secret_files()).ok is True


def test_a_workspace_root_that_is_not_there_is_an_error(tmp_path):
    with settings_with(tmp_path):
        finding = only(files.workspace_roots())
    assert (finding.ok, finding.severity) == (False, Severity.ERROR)
    assert f"mkdir -p {tmp_path / 'roots'}" in finding.remedy


def test_a_workspace_root_that_anyone_can_write_is_an_error(tmp_path):
    (tmp_path / "roots").mkdir()
    (tmp_path / "roots").chmod(0o777)
    with settings_with(tmp_path):
        finding = next(iter(files.workspace_roots()))
    assert (finding.ok, finding.severity) == (False, Severity.ERROR)


MOUNTS = """\
27 1 254:0 / / rw,relatime - ext4 /dev/vda rw
42 27 254:1 / /srv rw,nosuid,nodev,relatime shared:1 - ext4 /dev/vdb rw
43 42 254:2 / /srv/with\\040space rw,nosuid - ext4 /dev/vdc rw
44 42 254:3 / /srv/twice rw - ext4 /dev/vdd rw
45 44 254:4 / /srv/twice rw,nodev - ext4 /dev/vde rw
"""


@pytest.mark.parametrize(
    ("path", "point", "lacking"),
    [
        ("/home/me", "/", {"nosuid", "nodev"}),
        ("/srv", "/srv", set()),
        ("/srv/projects", "/srv", set()),
        ("/srvprojects", "/", {"nosuid", "nodev"}),
        ("/srv/with space/x", "/srv/with space", {"nodev"}),
        ("/srv/twice/x", "/srv/twice", {"nosuid"}),
    ],
)
def test_the_mount_of_a_path_is_the_innermost_and_the_topmost(path, point, lacking):
    mount = files.mount_of(path, MOUNTS)
    assert mount is not None
    assert mount.path == point
    assert {"nosuid", "nodev"} - mount.options == lacking


def test_a_root_below_a_closed_directory_is_out_of_reach_of_others(tmp_path):
    inner = tmp_path / "closed" / "roots"
    inner.mkdir(parents=True)
    inner.parent.chmod(0o700)
    assert not files.others_can_reach(str(inner))
    assert files.others_can_reach("/usr/bin")


def test_without_a_claude_cli_there_is_a_warning_with_a_remedy(tmp_path):
    with settings_with(tmp_path, claude_cli_path=str(tmp_path / "none")):
        finding = next(iter(files.claude_cli()))
    assert (finding.ok, finding.severity) == (False, Severity.WARNING)
    assert "CONTAINERHUB_CLAUDE_CLI_PATH" in finding.remedy


# -- network --------------------------------------------------------------------------------

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1472 1 0 100 0 0 10 0
   1: 0100007F:1F40 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1473 1 0 100 0 0 10 0
   2: 0100007F:1F40 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        0 1474 1 0 100 0 0 10 0
"""
TCP6 = """\
  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: 00000000000000000000000000000000:1538 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 15 1 0 100
   1: 0000000000000000FFFF00000100007F:1539 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000 0 0 16 1 0 100
"""


def test_the_kernels_table_of_listeners_is_read_for_both_families():
    found = [(str(one.address), one.port, one.inode, one.on_all) for one in network.parse_listeners(TCP) + network.parse_listeners(TCP6)]
    assert found == [
        ("0.0.0.0", 22, 1472, True),
        ("127.0.0.1", 8000, 1473, False),
        ("::", 5432, 15, True),
        ("127.0.0.1", 5433, 16, False),
    ]


def test_a_real_listener_is_found_with_its_programs_name():
    with socket.create_server(("0.0.0.0", 0)) as server:
        mine = [one for one in network.listeners() if one.port == server.getsockname()[1]]
        assert [one.on_all for one in mine] == [True]
        names = network.process_names([mine[0].inode])
    assert names[mine[0].inode] == Path("/proc/self/comm").read_text().strip()


def test_the_interface_of_an_address_is_found():
    assert network.interface_of("127.0.0.1") == "lo"
    assert network.interface_of("192.0.2.1") is None
    assert network.interface_of(None) is None


def _greet_as_a_mail_server(server: socket.socket) -> None:
    with server.accept()[0] as connection:
        connection.sendall(b"220 mail\r\n")


def test_a_stranger_on_the_hubs_port_is_told_from_the_hub(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.listen()
        port = server.getsockname()[1]
        server.close()
        with settings_with(tmp_path, port=port):
            assert only(network.hub_address()).ok is None
    with socket.create_server(("127.0.0.1", 0)) as server, settings_with(tmp_path, port=server.getsockname()[1]):
        greeting = threading.Thread(target=_greet_as_a_mail_server, args=(server,))
        greeting.start()
        finding = only(network.hub_address())
        greeting.join(10)
    assert finding.ok is False
    assert "does not answer as the hub" in finding.message


# -- the hub --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_migrated_writable_database_is_well_and_left_as_it_was():
    assert [finding.ok for finding in hub.database()] == [True, True]


@pytest.mark.django_db
def test_a_hub_that_does_not_serve_is_a_warning_only(monkeypatch):
    monkeypatch.setattr(hub, "hub_answers", lambda: False)
    finding = only(hub.processes())
    assert (finding.ok, finding.severity) == (False, Severity.WARNING)


@pytest.mark.django_db
def test_a_serving_hub_with_a_silent_worker_is_an_error(monkeypatch):
    monkeypatch.setattr(hub, "hub_answers", lambda: True)
    now = timezone.now()
    Heartbeat.objects.update_or_create(role="worker", defaults={"beat_at": now - timedelta(seconds=200)})
    Heartbeat.objects.update_or_create(role="watcher", defaults={"beat_at": now})
    found = {finding.check: finding for finding in hub.processes()}
    assert (found["worker"].ok, found["worker"].severity) == (False, Severity.ERROR)
    assert found["watcher"].ok is True


@pytest.mark.django_db
def test_a_clock_behind_the_newest_event_is_an_error():
    assert only(hub.clock()).ok is True
    Event.objects.create(kind="test.future", actor_name="test", message="x", at=timezone.now() + timedelta(hours=1))
    assert only(hub.clock()).ok is False


# -- the Engine -----------------------------------------------------------------------------


def test_an_old_docker_is_a_warning_and_a_new_one_is_well():
    engine = FakeEngine()
    finding = only(engine_checks.version(engine))
    assert (finding.ok, finding.severity) == (False, Severity.WARNING)
    engine.host = replace(engine.host, version="29.0.1")
    assert only(engine_checks.version(engine)).ok is True


def test_an_engine_on_another_host_is_told_of():
    engine = FakeEngine()
    engine.host = replace(engine.host, version="29.0.1", is_local=False)
    assert [finding.ok for finding in engine_checks.version(engine)] == [True, False]
    assert only(network.reachable_services(engine)).ok is None


def test_a_missing_base_image_is_an_error_and_a_foreign_or_old_one_a_warning():
    engine = FakeEngine()
    name = settings.CONTAINERHUB.base_image
    assert "not built by hub build" in only(engine_checks.base_image(engine)).message
    image_id = engine.images.add(name, labels={LABEL_IMAGE: "base"})
    assert only(engine_checks.base_image(engine)).ok is True
    engine.images._images[image_id] = replace(engine.images._images[image_id], created_at=timezone.now() - timedelta(days=61))
    assert "--no-cache" in only(engine_checks.base_image(engine)).remedy
    for image in engine.images.list():
        engine.images.remove(image.image_id)
    finding = only(engine_checks.base_image(engine))
    assert (finding.ok, finding.severity) == (False, Severity.ERROR)


@pytest.mark.django_db
def test_a_network_on_which_containers_talk_is_an_error():
    engine = FakeEngine()
    name = network_name(settings.CONTAINERHUB)
    assert only(engine_checks.network(engine)).ok is True
    assert not engine.networks.has(name)  # to look makes none
    engine.networks.add(name, talkative=True)
    finding = only(engine_checks.network(engine))
    assert (finding.ok, finding.severity) == (False, Severity.ERROR)


@pytest.mark.django_db
def test_a_container_of_ours_without_a_project_is_named():
    engine = FakeEngine()
    assert only(engine_checks.leftovers(engine)).ok is True
    labels = {**hub_labels(instance_id()), "project_id": "gone"}
    engine.containers.create(ContainerSpec(name="claude-dev-gone", image="debian:bookworm-slim", labels=labels))
    assert "claude-dev-gone" in only(engine_checks.leftovers(engine)).message


@pytest.mark.django_db
def test_a_clone_that_is_under_way_is_no_leftover_but_one_that_stopped_is():
    engine = FakeEngine()
    labels = {**hub_labels(instance_id()), LABEL_PURPOSE: "clone:site"}
    docker_id = engine.containers.create(ContainerSpec(name="claude-dev-clone-site-1", image="debian:bookworm-slim", labels=labels))
    engine.containers.start(docker_id)
    assert only(engine_checks.leftovers(engine)).ok is True
    engine.containers.stop(docker_id)
    assert only(engine_checks.leftovers(engine)).remedy == "Remove them: docker rm -f claude-dev-clone-site-1"


# -- workspaces -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_workspaces_that_are_gone_replaced_or_roots_are_told_of_with_a_remedy(tmp_path):
    for slug in ("well", "roots", "link", "gone"):
        Project.objects.create(slug=slug, name=slug, path=str(tmp_path / slug))
    for slug, uid in (("well", 1000), ("roots", 0)):
        (tmp_path / slug).mkdir()
        os.chown(tmp_path / slug, uid, uid)
    (tmp_path / "link").symlink_to("/etc")
    gone, link, roots, well = workspaces.workspaces()
    assert (gone.severity, link.severity, roots.severity, well.ok) == (Severity.ERROR, Severity.ERROR, Severity.WARNING, True)
    assert "hub rm gone" in gone.remedy
    assert "no directory any more" in link.message
    assert "hub chown roots" in roots.remedy
    assert well.message.startswith("1 ")


def test_what_a_killed_clone_left_is_told_of_once_no_clone_can_still_be_at_it(tmp_path):
    left = tmp_path / "roots" / ".hub-clone-1"
    left.mkdir(parents=True)
    with settings_with(tmp_path):
        assert only(workspaces.clones()).ok is True
        then = time.time() - TIMEOUT_SECONDS - 1
        os.utime(left, (then, then))
        assert only(workspaces.clones()).remedy == f"Remove it: rm -r {left}"


def test_a_full_disk_of_workspaces_is_a_warning(tmp_path, monkeypatch):
    (tmp_path / "roots").mkdir()
    with settings_with(tmp_path):
        monkeypatch.setattr(workspaces, "used_percent", lambda path: 10)
        assert only(workspaces.workspace_disks()).ok is True
        monkeypatch.setattr(workspaces, "used_percent", lambda path: 95)
        assert only(workspaces.workspace_disks()).severity is Severity.WARNING


# -- the whole ------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_unreachable_engine_is_one_error_and_stops_no_other_check(tmp_path):
    use_engine(cast(Engine, Unreachable()))
    try:
        with settings_with(tmp_path):
            found = doctor.examine()
    finally:
        use_engine(None)
    assert (found[0].check, found[0].ok, found[0].severity) == ("engine", False, Severity.ERROR)
    assert {"database", "clock", "data directory", "port"} <= {finding.check for finding in found}


def test_a_check_that_breaks_is_told_of_and_stops_no_other():
    def broken():
        raise ValueError("the moon is full")

    finding = only(doctor._guarded("broken_check", broken))
    assert finding.ok is None
    assert "the moon is full" in finding.message


def test_a_check_without_its_database_points_to_the_database():
    def lacking():
        raise OperationalError("no such table: projects_project")

    finding = only(doctor._guarded("workspaces", lacking))
    assert (finding.ok, finding.remedy) == (None, "Look at the database first, then examine again.")


@pytest.mark.django_db
def test_every_fault_comes_with_a_remedy_and_every_sentence_ends(tmp_path):
    use_engine(cast(Engine, Unreachable()))
    try:
        with settings_with(tmp_path, claude_cli_path="/nowhere"):
            found = doctor.examine()
    finally:
        use_engine(None)
    assert [finding for finding in found if finding.ok is False and not finding.remedy] == []
    assert [finding.message for finding in found if not finding.message.endswith((".", "…"))] == []


@pytest.mark.parametrize(("text", "expected"), [("20.10.24+dfsg1", (20, 10, 24)), ("runc version 1.1.5+ds1", (1, 1, 5)), ("dev", (0,))])
def test_version_numbers_are_found_in_what_programs_say(text, expected):
    assert engine_checks.numbers(text) == expected
