"""Containers of the real Engine, beyond the contract: pauses, health, races, logs that are cut."""

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest

from projects.engine.answers import info_of, summary_of, time_of
from projects.engine.base import HealthCheck
from projects.engine.errors import EngineUnreachable, NameTaken
from projects.states import Health, Status
from tests.engine.lab import THREE_LINES
from tests.support import wait_until

CHATTY = ("sh", "-c", "while :; do echo tick; sleep 0.1; done")
live_test = pytest.mark.live


def client(lab):
    return lab.engine.connection.client()


# -- what the Engine says, in our words -----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T01:02:03.123456789Z", datetime(2026, 11, 24, 1, 2, 3, 123456, UTC)),
        ("2026-11-24T01:02:03.1Z", datetime(2026, 11, 24, 1, 2, 3, 100000, UTC)),
        ("2026-11-24T01:02:03Z", datetime(2026, 11, 24, 1, 2, 3, 0, UTC)),
        ("2026-11-24T03:02:03.5+02:00", datetime(2026, 11, 24, 1, 2, 3, 500000, UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("", None),
        (None, None),
        ("soon", None),
    ],
)
def test_times_of_the_engine_are_aware_or_none(text, expected):
    assert time_of(text) == expected


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("Up 2 hours (healthy)", Health.HEALTHY),
        ("Up 2 hours (unhealthy)", Health.UNHEALTHY),
        ("Up 1 second (health: starting)", Health.STARTING),
        ("Up 1 second", Health.NONE),
        ("Up 2 hours (Paused)", Health.NONE),
        ("Exited (0) 2 hours ago", Health.NONE),
    ],
)
def test_health_is_read_from_the_words_of_the_list(status, health):
    row = {
        "Id": "a" * 64,
        "Names": ["/other/alias", "/own"],
        "Image": "x",
        "State": "running",
        "Status": status,
        "Created": 0,
        "Labels": None,
    }
    assert summary_of(row).health is health
    assert summary_of(row).name == "own"


def test_a_status_of_a_later_engine_is_unknown_and_breaks_nothing():
    found = {
        "Id": "a" * 64,
        "Name": "/x",
        "Image": "sha256:b",
        "Created": "2026-11-24T01:02:03Z",
        "State": {"Status": "stopping", "ExitCode": 0},
        "Config": {"Image": "x", "Labels": None, "Env": None},
        "HostConfig": {"NanoCpus": 1_500_000_000},
        "Mounts": [{"Type": "volume", "Source": "/v", "Destination": "/data", "RW": True}],
    }
    info = info_of(found)
    assert info.status is Status.UNKNOWN
    assert info.cpu_limit == 1.5
    assert info.mounts == ()


# -- pauses and health ----------------------------------------------------------------------


@live_test
@pytest.mark.parametrize(("action", "expected"), [("start", Status.RUNNING), ("stop", Status.EXITED), ("restart", Status.RUNNING)])
def test_a_paused_container_can_be_started_stopped_and_restarted(live, action, expected):
    docker_id = live.running()
    client(live).pause(docker_id)
    assert live.engine.containers.list(labels=live.labels)[0].status is Status.PAUSED
    getattr(live.engine.containers, action)(docker_id)
    assert live.engine.containers.inspect(docker_id).status is expected


@live_test
def test_failing_health_is_told_with_its_streak_and_output(live):
    check = HealthCheck(
        ("CMD-SHELL", "echo no git here; exit 1"), interval_seconds=0.5, timeout_seconds=5, retries=2, start_period_seconds=0
    )
    docker_id = live.running(healthcheck=check)
    wait_until(lambda: live.engine.containers.inspect(docker_id).health is Health.UNHEALTHY, 30)
    info = live.engine.containers.inspect(docker_id)
    assert info.failing_streak >= 2
    assert info.health_output == "no git here\n"
    assert live.engine.containers.list(labels=live.labels)[0].health is Health.UNHEALTHY


@live_test
def test_limits_stand_as_the_plan_wants_them(live, tmp_path):
    docker_id = live.created(
        cpu_limit=4, memory_limit_bytes=64 << 20, pids_limit=100, nofile_soft=1024, nofile_hard=2048, cap_drop=("MKNOD",)
    )
    host = client(live).inspect_container(docker_id)["HostConfig"]
    assert (host["CpuPeriod"], host["CpuQuota"], host["NanoCpus"]) == (100_000, 400_000, 0)
    assert host["Memory"] == host["MemorySwap"] == 64 << 20
    assert host["Ulimits"] == [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert (host["Init"], host["CapDrop"], host["Binds"]) == (True, ["MKNOD"], None)


@live_test
def test_an_exit_by_lack_of_memory_is_told(live):
    docker_id = live.running(
        command=("bash", "-c", "x=$(head -c 100M /dev/zero | tr '\\0' x)"), memory_limit_bytes=16 << 20, restart_policy="no", init=False
    )
    wait_until(lambda: live.engine.containers.inspect(docker_id).status is Status.EXITED, 30)
    assert live.engine.containers.inspect(docker_id).oom_killed


# -- logs -----------------------------------------------------------------------------------


@live_test
def test_logs_are_whole_and_byte_exact(live):
    docker_id = live.running(command=("bash", "-c", "for i in {1..20000}; do printf '%s \\xc3\\xa4\\n' $i; done"), restart_policy="no")
    wait_until(lambda: not live.engine.containers.inspect(docker_id).running, 60)
    assert live.engine.containers.logs(docker_id, tail=None) == b"".join(b"%d \xc3\xa4\n" % number for number in range(1, 20001))


@live_test
def test_logs_of_a_terminal_have_no_frames_to_take_off(live):
    made = client(live).create_container("debian:bookworm-slim", ["sh", "-c", "echo hello"], tty=True, labels=live.labels)
    live.engine.containers.start(made["Id"])
    wait_until(lambda: not live.engine.containers.inspect(made["Id"]).running)
    assert live.engine.containers.logs(made["Id"]) == b"hello\r\n"
    assert b"".join(live.engine.containers.follow_logs(made["Id"])) == b"hello\r\n"


@live_test
def test_logs_since_a_time_leave_out_what_was_before(live):
    docker_id = live.running(command=THREE_LINES)
    wait_until(lambda: b"three" in live.engine.containers.logs(docker_id))
    assert live.engine.containers.logs(docker_id, since=datetime.now(UTC) + timedelta(seconds=1)) == b""
    assert b"one" in live.engine.containers.logs(docker_id, since=datetime.now(UTC) - timedelta(minutes=5))


@live_test
def test_followed_logs_come_as_they_happen_and_end_with_the_container(live):
    docker_id = live.running(command=CHATTY)
    lines = live.engine.containers.follow_logs(docker_id)
    assert next(lines).startswith(b"tick\n")
    live.engine.containers.stop(docker_id)
    list(lines)


@live_test
def test_followed_logs_of_a_silent_container_end_when_another_thread_closes_them(live):
    lines = live.engine.containers.follow_logs(live.running())
    threading.Timer(0.3, lines.close).start()
    began = time.monotonic()
    assert list(lines) == []
    assert time.monotonic() - began < 2


@live_test
def test_followed_logs_that_are_cut_are_no_normal_end(behind, proxy):
    lines = behind.engine.containers.follow_logs(behind.running(command=CHATTY))
    next(lines)
    proxy.cut()
    with pytest.raises(EngineUnreachable):
        list(lines)


@live_test
def test_a_name_is_taken_until_the_container_is_really_gone(live):
    name = live.name()
    docker_id = live.running(name=name)
    removing = threading.Thread(target=lambda: live.engine.containers.remove(docker_id, force=True))
    removing.start()
    live.engine.containers.remove(docker_id, force=True)
    assert live.created(name=name)
    removing.join()
    with pytest.raises(NameTaken):
        live.created(name=name)
