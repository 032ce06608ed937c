"""A container as `docker inspect` shows it: the plan's numbers, its labels, and no secret."""

import json

import docker
import pytest

from tests.sandbox import Sandbox

pytestmark = pytest.mark.live

SECRET = "ghp_thisIsASecretToken0123456789"  # made up


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory):
    """One hub for all tests of this module: they only look."""
    box = Sandbox(tmp_path_factory.mktemp("inspected"))
    box.migrate()
    yield box
    box.clean()


@pytest.fixture(scope="module")
def inspected(sandbox):
    (sandbox.home / ".gitconfig").write_text("[user]\n\tname = Ada\n\temail = ada@example.com\n[credential]\n\thelper = store\n")
    (sandbox.home / ".ssh").mkdir(mode=0o700)
    (sandbox.home / ".ssh" / "id_ed25519").write_text("not a real key\n")
    sandbox.environment["CONTAINERHUB_GITHUB_TOKEN"] = SECRET
    sandbox.add_project("demo", uses_host_credentials=True)
    sandbox.python(
        "from projects.services.git_credentials import set_git_credential\n"
        f"set_git_credential(project=Project.objects.get(), host='git.example.com', token={SECRET!r}, actor=ACTOR)\n"
        "lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR)"
    )
    container = sandbox.containers()[0]
    return container.attrs


def test_limits_are_the_plans(inspected):
    host = inspected["HostConfig"]
    assert (host["CpuPeriod"], host["CpuQuota"], host["NanoCpus"]) == (100000, 400000, 0)
    assert host["Memory"] == 8 * 1024**3
    assert host["MemorySwap"] == host["Memory"]
    assert host["PidsLimit"] == 1000
    assert {(limit["Name"], limit["Soft"], limit["Hard"]) for limit in host["Ulimits"]} == {("nofile", 1024, 2048)}
    assert host["Init"] is True
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    assert host["LogConfig"] == {"Type": "json-file", "Config": {"max-size": "10m", "max-file": "3"}}
    assert {cap.removeprefix("CAP_") for cap in host["CapDrop"]} == {"MKNOD", "NET_RAW"}
    assert not host["Binds"]
    assert not host["Privileged"]


def test_health_check_is_the_plans(inspected):
    check = inspected["Config"]["Healthcheck"]
    assert check["Test"] == ["CMD", "/usr/local/bin/healthcheck"]
    assert (check["Interval"], check["Timeout"], check["Retries"]) == (60 * 10**9, 10 * 10**9, 3)


def test_labels_and_environment_are_the_plans(sandbox, inspected):
    labels = inspected["Config"]["Labels"]
    assert inspected["Name"] == f"/{sandbox.prefix}-demo"
    assert labels["project_id"] == labels["project_name"] == "demo"
    assert labels["managed_by"] == "claude-dev-container"
    assert labels["io.containerhub.generation"] == "1"
    assert len(labels["io.containerhub.spec-hash"]) == 64
    assert labels["io.containerhub.instance"] == sandbox.python("answer(str(Instance.objects.get().uuid))")
    environment = dict(line.split("=", 1) for line in inspected["Config"]["Env"])
    assert environment["PROJECT_NAME"] == "demo"
    assert environment["PROJECT_PATH"] == "/workspace"
    assert environment["CLAUDE_CONFIG_DIR"] == "/home/claude/.claude"
    assert environment["DISABLE_AUTOUPDATER"] == "1"
    assert environment["LANG"] == "C.UTF-8"
    assert inspected["Config"]["User"] == "claude"
    assert inspected["Config"]["WorkingDir"] == "/workspace"


def test_mounts_are_copies_of_what_was_lent(sandbox, inspected):
    mounts = {mount["Destination"]: mount for mount in inspected["Mounts"]}
    assert mounts["/workspace"]["Source"] == str(sandbox.roots / "demo")
    assert mounts["/workspace"]["RW"] is True
    assert mounts["/home/claude/.claude"]["RW"] is True
    for lent in ("/home/claude/.gitconfig", "/home/claude/.ssh", "/run/containerhub-lent/git"):
        assert mounts[lent]["RW"] is False
        assert mounts[lent]["Source"].startswith(str(sandbox.data_dir / "lent"))


def test_no_secret_stands_in_the_configuration(inspected):
    assert SECRET not in json.dumps(inspected)
    names = [line.split("=", 1)[0] for line in inspected["Config"]["Env"]]
    assert not [name for name in names if any(word in name for word in ("TOKEN", "SECRET", "PASSWORD", "KEY"))]


def test_containers_of_our_network_cannot_reach_each_other(sandbox, inspected):
    network = docker.from_env().networks.get(f"{sandbox.prefix}-net")
    assert network.attrs["Options"]["com.docker.network.bridge.enable_icc"] == "false"
    assert list(inspected["NetworkSettings"]["Networks"]) == [network.name]
    sandbox.add_project("peer")
    sandbox.python("lifecycle.ensure_container(project=Project.objects.get(slug='peer'), actor=ACTOR)")
    first, second = sandbox.containers()
    address = first.attrs["NetworkSettings"]["Networks"][network.name]["IPAddress"]
    first.exec_run(["python3", "-m", "http.server", "8000"], detach=True)
    reach = ["curl", "--silent", "--max-time", "3", "--retry", "3", "--retry-connrefused", "http://{}:8000/"]
    assert first.exec_run([part.format("127.0.0.1") for part in reach]).exit_code == 0
    assert second.exec_run([part.format(address) for part in reach]).exit_code == 28  # curl: timed out
