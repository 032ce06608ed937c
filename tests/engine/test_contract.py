"""The promises of `projects.engine.base`, kept by the real Engine and by the fake alike."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from projects.engine.base import BuildSpec, HealthCheck, Mount
from projects.engine.errors import BuildFailed, BuildStopped, NameTaken, NoSuchObject, Refused, WrongState
from projects.states import Health, Status
from tests.engine.lab import ENDS_WITH_3, IMAGE, THREE_LINES, WRITES, WRITTEN
from tests.support import wait_until

# -- containers: from create to remove ------------------------------------------------------


def test_create_answers_a_full_id_and_inspect_tells_what_was_asked_for(lab, tmp_path):
    spec = lab.spec(
        environment={"COLOUR": "blue=green"},
        mounts=(Mount(str(tmp_path), "/workspace"), Mount(str(tmp_path), "/lent", read_only=True)),
        cpu_limit=0.5,
        memory_limit_bytes=64 << 20,
        pids_limit=50,
        nofile_soft=1024,
        nofile_hard=2048,
        cap_drop=("MKNOD", "NET_RAW"),
        hostname="lab",
    )
    docker_id = lab.engine.containers.create(spec)
    info = lab.engine.containers.inspect(docker_id)
    assert len(docker_id) == 64
    assert (info.docker_id, info.name, info.image, info.status) == (docker_id, spec.name, IMAGE, Status.CREATED)
    assert (info.cpu_limit, info.memory_limit_bytes, info.pids_limit) == (0.5, 64 << 20, 50)
    assert set(info.mounts) == set(spec.mounts)
    assert info.environment["COLOUR"] == "blue=green"
    assert dict(info.labels).items() >= lab.labels.items()
    assert info.started_at is None
    assert info.finished_at is None
    assert info.exit_code is None
    assert abs(info.created_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_container_without_limits_or_health_check_has_none(lab):
    info = lab.engine.containers.inspect(lab.running())
    assert (info.cpu_limit, info.memory_limit_bytes, info.pids_limit) == (None, None, None)
    assert (info.health, info.failing_streak) == (Health.NONE, 0)


def test_a_health_check_begins_as_starting(lab):
    docker_id = lab.running(healthcheck=HealthCheck(("CMD", "true"), interval_seconds=60, start_period_seconds=60))
    assert lab.engine.containers.inspect(docker_id).health is Health.STARTING
    assert lab.engine.containers.list(labels=lab.labels)[0].health is Health.STARTING


def test_create_with_a_missing_image_says_that_there_is_none(lab):
    with pytest.raises(NoSuchObject, match="no-such-image"):
        lab.created(image="no-such-image:nowhere")


def test_create_with_a_taken_name_says_so_and_changes_nothing(lab):
    first = lab.created(name=f"{lab.run_id}-same")
    with pytest.raises(NameTaken):
        lab.created(name=f"{lab.run_id}-same")
    assert [row.docker_id for row in lab.engine.containers.list(labels=lab.labels)] == [first]


def test_a_hundred_creates_of_one_name_make_one_container(lab):
    def create(number):
        try:
            return lab.created(name=f"{lab.run_id}-one")
        except NameTaken:
            return None

    with ThreadPoolExecutor(10) as threads:
        made = [docker_id for docker_id in threads.map(create, range(100)) if docker_id]
    assert len(made) == 1


def test_a_missing_mount_source_is_refused_and_not_made(lab, tmp_path):
    missing = tmp_path / "missing"
    with pytest.raises(Refused, match="missing"):
        lab.running(mounts=(Mount(str(missing), "/workspace"),))
    assert not missing.exists()


def test_start_is_idempotent(lab):
    docker_id = lab.running()
    lab.engine.containers.start(docker_id)
    info = lab.engine.containers.inspect(docker_id)
    assert info.running
    assert info.exit_code is None
    assert info.started_at is not None


def test_start_of_a_container_that_is_gone_says_so(lab):
    with pytest.raises(NoSuchObject):
        lab.engine.containers.start(f"{lab.run_id}-gone")


def test_start_with_a_network_that_is_gone_is_refused_and_does_not_say_that_the_container_is(lab):
    name = lab.name()
    lab.engine.networks.ensure(name, labels=lab.labels)
    docker_id = lab.created(network=name)
    lab.engine.networks.remove(name)
    with pytest.raises(Refused, match=name):
        lab.engine.containers.start(docker_id)


def test_stop_is_idempotent_and_keeps_the_container(lab):
    docker_id = lab.running()
    lab.engine.containers.stop(docker_id, grace_seconds=5)
    lab.engine.containers.stop(docker_id)
    info = lab.engine.containers.inspect(docker_id)
    assert info.status is Status.EXITED
    assert info.exit_code == 143
    assert info.finished_at is not None


def test_stop_is_idempotent_when_the_container_is_gone(lab):
    lab.engine.containers.stop(f"{lab.run_id}-gone")


def test_a_container_that_ends_by_itself_keeps_its_exit_code(lab):
    docker_id = lab.running(command=ENDS_WITH_3, restart_policy="no")
    wait_until(lambda: lab.engine.containers.inspect(docker_id).status is Status.EXITED)
    assert lab.engine.containers.inspect(docker_id).exit_code == 3


def test_restart_gives_a_new_start_and_keeps_the_creation(lab):
    docker_id = lab.running()
    before = lab.engine.containers.inspect(docker_id)
    lab.engine.containers.restart(docker_id, grace_seconds=5)
    after = lab.engine.containers.inspect(docker_id)
    assert after.running
    assert after.started_at > before.started_at
    assert after.created_at == before.created_at


def test_restart_of_a_container_that_is_gone_says_so(lab):
    with pytest.raises(NoSuchObject):
        lab.engine.containers.restart(f"{lab.run_id}-gone")


def test_remove_of_a_running_container_needs_force(lab):
    docker_id = lab.running()
    with pytest.raises(WrongState):
        lab.engine.containers.remove(docker_id)
    lab.engine.containers.remove(docker_id, force=True)
    assert lab.engine.containers.inspect(docker_id) is None


def test_remove_is_idempotent_and_frees_the_name_at_once(lab):
    name = lab.name()
    for _ in range(3):
        docker_id = lab.created(name=name)
        lab.engine.containers.remove(docker_id)
        lab.engine.containers.remove(docker_id)


def test_many_removes_at_once_are_all_quiet(lab):
    docker_id = lab.running()
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: lab.engine.containers.remove(docker_id, force=True), range(8)))
    assert lab.engine.containers.inspect(docker_id) is None


def test_rename_is_quiet_when_the_name_is_its_own(lab):
    docker_id, name = lab.created(), lab.name()
    lab.engine.containers.rename(docker_id, name)
    lab.engine.containers.rename(docker_id, name)
    assert lab.engine.containers.inspect(name).docker_id == docker_id


def test_rename_to_a_taken_name_or_of_nothing_says_so(lab):
    docker_id, taken = lab.created(), lab.name()
    lab.created(name=taken)
    with pytest.raises(NameTaken):
        lab.engine.containers.rename(docker_id, taken)
    with pytest.raises(NoSuchObject):
        lab.engine.containers.rename(f"{lab.run_id}-gone", lab.name())


# -- containers: looking --------------------------------------------------------------------


def test_inspect_takes_an_id_or_an_exact_name_and_never_a_prefix(lab):
    docker_id = lab.created(name=f"{lab.run_id}-exact")
    assert lab.engine.containers.inspect(f"{lab.run_id}-exact").docker_id == docker_id
    assert lab.engine.containers.inspect(f"{lab.run_id}-exac") is None
    assert lab.engine.containers.inspect(docker_id[:63]) is None
    assert lab.engine.containers.inspect(docker_id[:6]) is None


@pytest.mark.parametrize("ref", ["", "..", "a/../b", "a?all=1", "a b", "ä"])
def test_a_ref_that_can_be_no_name_finds_nothing(lab, ref):
    assert lab.engine.containers.inspect(ref) is None
    with pytest.raises(NoSuchObject):
        lab.engine.containers.start(ref)


def test_nothing_is_removed_by_the_beginning_of_its_id(lab):
    docker_id = lab.running()
    lab.engine.containers.remove(docker_id[:20], force=True)
    lab.engine.containers.stop(docker_id[:20])
    assert lab.engine.containers.inspect(docker_id).running


def test_list_finds_by_all_labels_and_by_running(lab):
    stopped, running = lab.created(labels=lab.labels | {"kind": "a"}), lab.running(labels=lab.labels | {"kind": "b"})
    every = lab.engine.containers.list(labels=lab.labels)
    assert {row.docker_id for row in every} == {stopped, running}
    assert {row.status for row in every} == {Status.CREATED, Status.RUNNING}
    assert [row.docker_id for row in lab.engine.containers.list(labels=lab.labels, running_only=True)] == [running]
    assert [row.docker_id for row in lab.engine.containers.list(labels=lab.labels | {"kind": "a"})] == [stopped]
    assert lab.engine.containers.list(labels=lab.labels | {"kind": "c"}) == []


def test_logs_have_both_streams_in_order_and_a_tail(lab):
    docker_id = lab.running(command=THREE_LINES)
    wait_until(lambda: b"three" in lab.engine.containers.logs(docker_id))
    assert lab.engine.containers.logs(docker_id) == b"one\ntwo\nthree\n"
    assert lab.engine.containers.logs(docker_id, tail=None) == b"one\ntwo\nthree\n"
    assert lab.engine.containers.logs(docker_id, tail=1) == b"three\n"
    assert lab.engine.containers.logs(docker_id, tail=1, timestamps=True).endswith(b"Z three\n")


def test_logs_of_a_container_that_is_gone_say_so(lab):
    with pytest.raises(NoSuchObject):
        lab.engine.containers.logs(f"{lab.run_id}-gone")
    with pytest.raises(NoSuchObject):
        next(iter(lab.engine.containers.follow_logs(f"{lab.run_id}-gone")))


def test_processes_are_those_of_a_running_container(lab):
    docker_id = lab.running()
    assert any("sleep 1000" in process.command for process in lab.engine.containers.processes(docker_id))
    lab.engine.containers.stop(docker_id)
    with pytest.raises(WrongState):
        lab.engine.containers.processes(docker_id)
    with pytest.raises(NoSuchObject):
        lab.engine.containers.processes(f"{lab.run_id}-gone")


def test_layer_bytes_is_a_number_for_what_is_there(lab):
    assert lab.engine.containers.layer_bytes(lab.created()) >= 0
    with pytest.raises(NoSuchObject):
        lab.engine.containers.layer_bytes(f"{lab.run_id}-gone")


def test_changes_are_what_differs_from_the_image_also_when_it_was_stopped_and_what_is_mounted_is_left_out(lab, tmp_path):
    (tmp_path / "mine").write_text("on the host")
    docker_id = lab.running(command=WRITES, mounts=(Mount(str(tmp_path), "/workspace"),))
    wait_until(lambda: set(WRITTEN) <= set(lab.engine.containers.changes(docker_id)))
    lab.engine.containers.stop(docker_id, grace_seconds=0)
    changes = lab.engine.containers.changes(docker_id)
    assert set(WRITTEN) <= set(changes)
    assert not [change.path for change in changes if change.path.startswith("/workspace/")]


def test_a_container_that_wrote_nothing_has_no_added_file_and_one_that_is_gone_says_so(lab):
    assert list(lab.engine.containers.changes(lab.created())) == []
    with pytest.raises(NoSuchObject):
        lab.engine.containers.changes(f"{lab.run_id}-gone")


# -- images, networks, events, the engine itself --------------------------------------------


def test_an_image_is_found_by_tag_and_id_or_is_none(lab):
    image = lab.engine.images.inspect(IMAGE)
    assert IMAGE in image.tags
    assert lab.engine.images.inspect(image.image_id) == image
    assert lab.engine.images.inspect("no-such-image:nowhere") is None


def test_a_build_tells_its_steps_and_ends_with_the_image(lab, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN true\n")
    tag = f"{lab.run_id}:one"
    lines = list(lab.engine.images.build(BuildSpec(tmp_path, tag, labels=lab.labels)))
    assert [line.image_id for line in lines[:-1]] == [None] * (len(lines) - 1)
    assert lab.engine.images.inspect(tag).image_id == lines[-1].image_id
    assert {line.step for line in lines} >= {1, 2}
    assert [image.tags for image in lab.engine.images.list(labels=lab.labels)] == [(tag,)]


def test_a_build_ends_soon_once_it_is_told_to_stop(lab, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo begun; sleep 100\n")
    tag = f"{lab.run_id}:stopped"
    begun = threading.Event()
    lines = lab.engine.images.build(BuildSpec(tmp_path, tag, labels=lab.labels, no_cache=True), stop=begun.is_set)
    next(lines)
    begun.set()
    with pytest.raises(BuildStopped, match="stopped"):
        list(lines)
    assert lab.engine.images.inspect(tag) is None


def test_the_history_of_an_image_is_what_it_was_made_by(lab, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nENV COLOUR=blue\nRUN true\n")
    tag = f"{lab.run_id}:layers"
    list(lab.engine.images.build(BuildSpec(tmp_path, tag, labels=lab.labels)))
    layers = lab.engine.images.history(tag)
    assert any(layer.created_by == "RUN true" for layer in layers)
    assert all(layer.size_bytes >= 0 for layer in layers)
    assert lab.engine.images.history("no-such-image:nowhere") == []


def test_disk_use_counts_what_is_there_and_what_is_in_use(lab):
    lab.running()
    found = {use.kind: use for use in lab.engine.disk_use()}
    assert set(found) == {"images", "containers", "volumes", "build cache"}
    assert found["images"].count >= found["images"].in_use >= 1
    assert found["images"].size_bytes >= found["images"].reclaimable_bytes >= 0
    assert found["containers"].in_use >= 1


def test_an_image_in_use_stays_and_one_that_is_gone_is_quietly_so(lab, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN true\n")
    tag = f"{lab.run_id}:used"
    list(lab.engine.images.build(BuildSpec(tmp_path, tag, labels=lab.labels)))
    docker_id = lab.created(image=tag)
    with pytest.raises(WrongState):
        lab.engine.images.remove(lab.engine.images.inspect(tag).image_id)
    lab.engine.containers.remove(docker_id)
    lab.engine.images.remove(tag)
    lab.engine.images.remove(tag)
    assert lab.engine.images.inspect(tag) is None


def test_a_network_is_made_once_by_many_at_once(lab):
    name = lab.name()
    try:
        with ThreadPoolExecutor(12) as threads:
            ids = set(threads.map(lambda _: lab.engine.networks.ensure(name, labels=lab.labels), range(12)))
        assert lab.engine.networks.ensure(name, labels=lab.labels) in ids
        assert lab.engine.networks.gateway(name)
    finally:
        lab.engine.networks.remove(name)
    lab.engine.networks.remove(name)
    assert lab.engine.networks.gateway(name) is None


def test_events_tell_of_a_container_from_create_to_destroy(lab):
    kinds: list[str] = []
    done = threading.Event()

    def follow() -> None:
        for event in lab.engine.events.follow(stop=done.is_set, labels=lab.labels):
            kinds.append(event.kind)

    thread = threading.Thread(target=follow)
    thread.start()
    try:
        wait_until(lambda: kinds == ["connected"])
        docker_id = lab.running()
        lab.engine.containers.rename(docker_id, lab.name())
        lab.engine.containers.remove(docker_id, force=True)
        wait_until(lambda: "destroy" in kinds, reason=str(kinds))
    finally:
        done.set()
        thread.join(2)
    assert not thread.is_alive()
    assert [kind for kind in kinds if kind in ("create", "start", "rename", "die", "destroy")] == [
        "create",
        "start",
        "rename",
        "die",
        "destroy",
    ]


def test_ping_and_info_answer(lab):
    lab.engine.ping(timeout_seconds=5)
    info = lab.engine.info()
    assert info.is_local
    assert info.cpus > 0
    assert info.memory_bytes > 0


def test_a_build_that_fails_names_the_step(lab, tmp_path):
    (tmp_path / "Dockerfile").write_text(f"FROM {IMAGE}\nRUN echo about to fail; exit 7\n")
    if hasattr(lab.engine, "build_error"):
        lab.engine.build_error = "The command returned a non-zero code: 7"
    with pytest.raises(BuildFailed, match=r"(?s)step 2.*non-zero code: 7"):
        list(lab.engine.images.build(BuildSpec(tmp_path, f"{lab.run_id}:bad", labels=lab.labels)))
