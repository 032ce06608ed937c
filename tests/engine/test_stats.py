"""What containers use, against the docker command's own numbers, and the sums on their own."""

import subprocess
import threading
import time

import pytest

from projects.engine import cgroups
from projects.engine.connection import connect
from projects.engine.errors import EngineUnreachable
from projects.engine.stats import CpuHistory, Sample, sample_of
from tests.engine.exec_fixtures import unconnected_sockets_dropped
from tests.support import wait_until

MIB = 1 << 20
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": MIB, "GiB": 1 << 30}


def sample(cpu_ms, clock_ms, *, taken=None, docker_id="a"):
    reading = cgroups.Reading(cpu_ms * 1_000_000, 0, None, 1, 0, 0)
    return Sample(docker_id, clock_ms * 1_000_000, reading, taken=clock_ms / 1000 if taken is None else taken)


# -- CPU %, from samples ----------------------------------------------------------------------


def test_cpu_percent_counts_a_hundred_per_core():
    history = CpuHistory()
    assert history.percent(sample(0, 0)) is None
    assert history.percent(sample(1500, 1000)) == pytest.approx(150)
    assert history.percent(sample(1500, 2000)) == 0


def test_a_sample_right_after_another_is_answered_with_what_is_known():
    history = CpuHistory()
    history.percent(sample(0, 0))
    history.percent(sample(500, 1000))
    assert history.percent(sample(540, 1040)) == pytest.approx(50)
    assert history.percent(sample(500, 2000)) == 0  # counted from the one at 1000


def test_a_stale_sample_or_a_restart_begins_anew():
    history = CpuHistory()
    history.percent(sample(5000, 0))
    assert history.percent(sample(9000, 61_000)) is None
    assert history.percent(sample(10, 62_000)) is None
    assert history.percent(sample(510, 63_000)) == pytest.approx(50)


def test_containers_do_not_mix_and_old_ones_are_forgotten():
    history = CpuHistory()
    for number in range(1500):
        assert history.percent(sample(0, number * 1000, docker_id=str(number))) is None
    assert len(history._last) < 1100
    assert history.percent(sample(1000, 1_500_000, docker_id="1499")) == pytest.approx(100)


# -- the API's answers ------------------------------------------------------------------------

ANSWER = {
    "cpu_stats": {"cpu_usage": {"total_usage": 5_000, "percpu_usage": [1, 2]}, "system_cpu_usage": 80_000, "online_cpus": 2},
    "memory_stats": {"usage": 1000, "limit": 4096, "stats": {"total_inactive_file": 300, "inactive_file": 200}},
    "pids_stats": {"current": 3},
    "networks": {"eth0": {"rx_bytes": 10, "tx_bytes": 20}, "eth1": {"rx_bytes": 1, "tx_bytes": 2}},
}


def test_an_answer_of_the_api_is_read_as_the_docker_command_does():
    found = sample_of("a", ANSWER, 8192)
    assert found is not None
    assert found.reading == cgroups.Reading(5_000, 700, 4096, 3, 11, 22)
    assert found.clock_ns == 40_000


def test_an_answer_of_version_2_takes_off_its_own_name_for_the_cache():
    found = sample_of("a", {**ANSWER, "memory_stats": {"usage": 1000, "limit": 8192, "stats": {"inactive_file": 200}}}, 8192)
    assert found is not None
    assert found.reading.memory_bytes == 800
    assert found.reading.memory_limit_bytes is None, "the host's memory is no limit"


@pytest.mark.parametrize(
    "answer", [{}, {"cpu_stats": {"cpu_usage": {"total_usage": 0}}, "memory_stats": {}}, {**ANSWER, "memory_stats": {}}]
)
def test_a_container_that_does_not_run_has_no_sample(answer):
    assert sample_of("a", answer, 8192) is None


# -- the real Engine --------------------------------------------------------------------------


@pytest.fixture
def api_only(monkeypatch):
    monkeypatch.setattr(cgroups, "find", lambda docker_id: None)


def docker_stats(docker_id):
    line = subprocess.run(
        ["docker", "stats", "--no-stream", "--format", "{{.CPUPerc}} {{.MemUsage}} {{.PIDs}}", docker_id],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    percent, used, _, limit, pids = line.split()
    return float(percent.rstrip("%")), in_bytes(used), in_bytes(limit), int(pids)


def in_bytes(text):
    number = text.rstrip("BiKMG")
    return float(number) * UNITS[text.removeprefix(number)]


def busy(live, **limits):
    """A container that uses memory, cache and a share of one core, and goes on doing so."""
    script = "head -c 20000000 /dev/zero > /tmp/cache; cat /tmp/cache > /dev/null; x=$(head -c 20000000 /dev/zero | tr '\\0' x); \
touch /tmp/ready; while :; do :; done"
    ref = live.running(command=("bash", "-c", script), memory_limit_bytes=256 * MIB, **limits)
    wait_until(lambda: live.run(ref, "test", "-e", "/tmp/ready")[0].exit_code == 0, 60, reason="it is busy")
    return ref


def check_against_the_command(live, docker_stats_of):
    ref = busy(live, cpu_limit=0.3)
    live.engine.stats.usage(ref)
    percent, memory, limit, pids = docker_stats_of(ref)
    usage = live.engine.stats.usage(ref)
    assert usage is not None
    assert usage.docker_id == ref
    assert usage.cpu_percent == pytest.approx(percent, abs=15)
    assert usage.memory_bytes == pytest.approx(memory, abs=4 * MIB)
    assert 20 * MIB < usage.memory_bytes < 60 * MIB
    assert usage.memory_limit_bytes == limit == 256 * MIB
    assert usage.pids == pids
    assert usage.network_rx_bytes >= 0


@pytest.mark.live
def test_the_files_say_what_the_docker_command_says(live):
    check_against_the_command(live, docker_stats)


@pytest.mark.live
def test_the_api_says_what_the_docker_command_says(live, api_only):
    check_against_the_command(live, docker_stats)


@pytest.mark.live
def test_a_container_that_does_not_run_has_no_usage(live):
    stopped = live.created()
    assert live.engine.stats.usage(stopped) is None
    assert live.engine.stats.usage(live.name()) is None
    assert live.engine.stats.usages([stopped, "f" * 64]) == {}


@pytest.mark.live
def test_a_container_without_a_limit_has_none_either_way(live, monkeypatch):
    ref = live.running()
    by_files = live.engine.stats.usage(ref)
    monkeypatch.setattr(cgroups, "find", lambda docker_id: None)
    by_api = live.engine.stats.usage(ref)
    assert by_files.memory_limit_bytes is None
    assert by_api.memory_limit_bytes is None


@pytest.mark.live
def test_a_name_serves_as_well_as_an_id(live):
    spec = live.spec()
    docker_id = live.engine.containers.create(spec)
    live.engine.containers.start(docker_id)
    usage = live.engine.stats.usage(spec.name)
    assert usage is not None
    assert usage.docker_id == docker_id
    assert usage.cpu_percent is not None


@pytest.mark.live
def test_many_are_read_in_one_sweep(live):
    refs = [live.running() for _ in range(5)]
    began = time.monotonic()
    assert set(live.engine.stats.usages(refs)) == set(refs)
    assert time.monotonic() - began < 1  # one pause for all of them
    began = time.monotonic()
    again = live.engine.stats.usages(refs)
    assert time.monotonic() - began < 0.1
    assert all(usage.cpu_percent is not None for usage in again.values())


@pytest.mark.live
def test_many_are_asked_of_the_api_at_once(live, api_only):
    refs = [live.running() for _ in range(8)]
    live.engine.stats.usages(refs)
    began = time.monotonic()
    assert set(live.engine.stats.usages([*refs, "f" * 64])) == set(refs)
    assert time.monotonic() - began < 5  # an Engine of 2020 takes 1 s for each


@pytest.mark.live
def test_threads_may_ask_at_once(live):
    ref, answers = live.running(), []
    threads = [threading.Thread(target=lambda: answers.append(live.engine.stats.usage(ref))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 10
    assert all(answer.cpu_percent is not None for answer in answers)


def test_an_engine_that_is_not_there_is_unreachable(tmp_path):
    engine = connect(base_url=f"unix://{tmp_path}/nothing.sock")
    for ask in (lambda: engine.stats.usage("f" * 64), lambda: engine.stats.usages(["f" * 64])):
        with unconnected_sockets_dropped(), pytest.raises(EngineUnreachable):
            ask()
