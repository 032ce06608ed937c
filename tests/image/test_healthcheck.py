"""The health check names the check that failed, and asks only for what this container was given."""

import shutil
import time

import pytest

from tests.image.conftest import docker
from tests.support import wait_until

pytestmark = pytest.mark.live
GIVEN = ("-e", "PROJECT_PATH=/workspace")


def check(container, **environment) -> tuple[int, str]:
    done = container.run("/usr/local/bin/healthcheck", check=False, **environment)
    assert done.stderr == ""
    return done.returncode, done.stdout.strip()


def test_a_container_without_repository_and_cli_is_healthy(start, workspace):
    assert check(start(*GIVEN, "-v", f"{workspace}:/workspace")) == (0, "OK: Container healthy")


def test_a_workspace_that_is_not_mounted_is_named(start):
    assert check(start(*GIVEN)) == (1, "ERROR: The workspace is not mounted on /workspace; refresh the container")


def test_a_workspace_that_was_removed_on_the_host_is_named(start, workspace):
    found = start(*GIVEN, "-v", f"{workspace}:/workspace")
    shutil.rmtree(workspace)
    # from /, because the Engine itself can no longer enter the working directory
    done = docker("exec", "-w", "/", found.docker_id, "/usr/local/bin/healthcheck", check=False)
    assert done.returncode == 1
    assert "removed on the host" in done.stdout


@pytest.mark.parametrize("mode", [0o755, 0o700])
def test_a_workspace_of_another_owner_is_named(start, tmp_path, mode):
    tmp_path.chmod(mode)
    code, words = check(start(*GIVEN, "-v", f"{tmp_path}:/workspace"))
    assert code == 1
    assert words.startswith("ERROR: The workspace /workspace cannot be ")
    assert "\n" not in words


def test_a_workspace_mounted_read_only_is_named(start, workspace):
    code, words = check(start(*GIVEN, "-v", f"{workspace}:/workspace:ro"))
    assert (code, words) == (1, "ERROR: The workspace /workspace cannot be written by this user")


def test_the_cli_is_asked_for_only_where_it_was_given(start, workspace, tmp_path):
    cli = tmp_path / "claude"
    cli.write_text("#!/bin/sh\necho 1.0\n")
    cli.chmod(0o755)
    found = start(*GIVEN, "-e", "CONTAINERHUB_HAS_CLAUDE_CLI=1", "-v", f"{workspace}:/workspace", "-v", f"{cli}:/usr/local/bin/claude:ro")
    assert check(found)[0] == 0
    cli.chmod(0o644)
    assert check(found) == (1, "ERROR: The Claude CLI /usr/local/bin/claude cannot be run")
    assert check(found, CONTAINERHUB_HAS_CLAUDE_CLI="")[0] == 0


def test_a_claude_configuration_that_cannot_be_written_is_named(start, workspace):
    found = start(*GIVEN, "-v", f"{workspace}:/workspace")
    code, words = check(found, CLAUDE_CONFIG_DIR="/etc")
    assert (code, words) == (1, "ERROR: The Claude configuration /etc cannot be written by this user")
    assert check(found, CLAUDE_CONFIG_DIR="/home/claude/.claude")[0] == 0


def test_a_full_disk_is_only_a_warning(container):
    container.sh("printf '#!/bin/sh\\necho h\\necho /dev/x 100 99 1 99%% /workspace\\n' > /tmp/df && chmod +x /tmp/df")
    code, words = check(container, PATH="/tmp:/usr/local/bin:/usr/bin:/bin")
    assert code == 0
    assert words == "WARNING: The disk of the workspace is 99 % full\nOK: Container healthy"


def test_a_disk_that_does_not_answer_holds_it_up_for_seconds_only(container):
    container.sh("printf '#!/bin/sh\\nexec sleep 60\\n' > /tmp/df && chmod +x /tmp/df")
    before = time.monotonic()
    assert check(container, PATH="/tmp:/usr/local/bin:/usr/bin:/bin") == (0, "OK: Container healthy")
    assert time.monotonic() - before < 8


def test_no_room_for_another_process_does_not_make_it_unhealthy(container):
    done = container.run("sh", "-c", "ulimit -u 1; exec /usr/local/bin/healthcheck", check=False)
    assert (done.returncode, done.stdout) == (0, "OK: Container healthy\n")


def test_docker_itself_calls_it_healthy(start, workspace):
    found = start(*GIVEN, "--health-interval", "1s", "-v", f"{workspace}:/workspace")
    status = lambda: docker("inspect", "-f", "{{.State.Health.Status}}", found.docker_id).stdout.strip()  # noqa: E731
    wait_until(lambda: status() == "healthy", 20, reason="the Engine runs the check each second")
