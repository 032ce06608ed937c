"""The container's command: prepares, says what is wrong, starts the terminals' server, waits, and ends at once."""

import time

import pytest

from tests.image.conftest import docker

pytestmark = pytest.mark.live


def test_it_becomes_a_sleep_beside_a_tmux_server(container):
    assert container.sh("cat /proc/1/comm") == "docker-init"
    assert container.sh("ps -eo comm= | sort | uniq -c | grep -E 'sleep|tmux'").split() == ["1", "sleep", "1", "tmux:", "server"]
    assert container.logs() == ""


def test_the_tmux_server_has_the_hubs_settings_and_no_session(container):
    show = "tmux -L hub show-options -g; tmux -L hub show-options -s"
    options = dict(line.partition(" ")[::2] for line in container.sh(show).splitlines())
    wanted = {
        "exit-empty": "off",
        "prefix": "None",
        "prefix2": "None",
        "status": "off",
        "escape-time": "10",
        "mouse": "on",
        "history-limit": "10000",
        "default-terminal": "tmux-256color",
        "set-clipboard": "off",
        "default-shell": "/bin/bash",
    }
    assert {name: options[name] for name in wanted} == wanted
    lent = {value for name, value in options.items() if name.startswith("update-environment")}
    assert {"GITHUB_TOKEN", "GIT_ASKPASS"} <= lent
    assert "CONTAINERHUB_EXEC_ID" not in lent
    assert container.run("tmux", "-L", "hub", "list-sessions").stdout == ""


def test_the_tmux_server_bears_no_marker_and_no_secret(start):
    found = start("-e", "CONTAINERHUB_EXEC_ID=marker", "-e", "GITHUB_TOKEN=secret", "-e", "PROJECT_NAME=demo")
    environ = found.sh("tr '\\0' '\\n' < /proc/$(pgrep -x 'tmux: server')/environ")
    assert "PROJECT_NAME=demo" in environ
    assert "marker" not in environ
    assert "secret" not in environ


def test_new_shells_get_what_is_lent_now_and_the_server_does_not_keep_it(container):
    shell = "tmux -L hub new-session -d -s lent 'printenv GITHUB_TOKEN > /tmp/lent; printenv CONTAINERHUB_EXEC_ID >> /tmp/lent; sleep 60'"
    container.run("sh", "-c", shell, GITHUB_TOKEN="t0ken", CONTAINERHUB_EXEC_ID="marker")
    container.sh("for i in 1 2 3 4 5 6 7 8 9; do [ -s /tmp/lent ] && break; sleep 0.2; done")
    assert container.sh("cat /tmp/lent") == "t0ken"
    assert "GITHUB_TOKEN" not in container.sh("tmux -L hub show-environment -g")
    container.run("tmux", "-L", "hub", "kill-session", "-t", "lent")


def test_utf8_passes_through_a_terminal(container):
    container.sh("tmux -L hub new-session -d -s words 'printf äöü→€; tmux -L hub wait-for -S said; sleep 60' && tmux -L hub wait-for said")
    assert container.sh("tmux -L hub capture-pane -p -t words | head -1") == "äöü→€"
    container.run("tmux", "-L", "hub", "kill-session", "-t", "words")


def test_a_stop_takes_less_than_two_seconds(start):
    found = start()
    before = time.monotonic()
    docker("stop", found.docker_id)
    assert time.monotonic() - before < 2
    assert docker("inspect", "-f", "{{.State.ExitCode}}", found.docker_id).stdout.strip() == "143"


def test_it_is_repeatable_at_each_start_and_after_a_kill(start):
    found = start()
    for command in ("restart", "kill"):
        docker(command, found.docker_id)
        docker("start", found.docker_id)
        found.wait_ready()
        assert found.sh("tmux -L hub new-session -d -s again && tmux -L hub has-session -t again && echo yes") == "yes"
    assert found.logs() == ""


def test_running_it_again_by_hand_harms_nothing(start):
    found = start()
    found.run("tmux", "-L", "hub", "new-session", "-d", "-s", "kept")
    found.sh("timeout 2 /usr/local/bin/init-project", check=False)
    assert found.sh("tmux -L hub list-sessions -F '#{session_name}'; pgrep -cx 'tmux: server'") == "kept\n1"


def test_exit_codes_of_commands_are_kept_for_a_week(start):
    found = start()
    found.sh("cd /run/containerhub/runs && touch fresh && touch -d '6 days ago' kept && touch -d '9 days ago' old")
    docker("restart", found.docker_id)
    found.wait_ready()
    assert found.sh("ls /run/containerhub/runs") == "fresh\nkept"


def test_a_run_folder_that_starts_empty_is_prepared_with_sudo(start):
    found = start("--tmpfs", "/run")
    assert found.sh("stat -c '%U %a' /run/containerhub/runs") == "claude 755"
    assert found.sh("tmux -L hub new-session -d && echo yes") == "yes"


@pytest.mark.parametrize("option", ["", ":ro"], ids=["foreign-owner", "read-only"])
def test_an_unwritable_workspace_is_one_sentence_and_the_container_stays_up(start, tmp_path, option):
    tmp_path.chmod(0o755)  # of root's
    found = start("-v", f"{tmp_path}:/workspace{option}")
    sentence = "/workspace cannot be written by claude (uid 1000)"
    assert found.logs().count("\n") == 1
    assert sentence in found.logs()
    assert sentence in found.sh("cat /run/containerhub/problem")
    assert docker("inspect", "-f", "{{.State.Running}}", found.docker_id).stdout.strip() == "true"


def test_the_problem_is_forgotten_at_the_next_start_when_it_was_mended(start, tmp_path):
    tmp_path.chmod(0o755)
    found = start("-v", f"{tmp_path}:/workspace")
    found.run("chown", "1000:1000", "/workspace", user="root")
    docker("restart", found.docker_id)
    found.wait_ready()
    assert found.sh("ls /run/containerhub") == "runs\ntmux-1000"


def test_an_image_without_tmux_says_so_and_runs(start, variant):
    found = start(image=variant(1000, 1000, image="debian:bookworm-slim"))
    assert "no tmux in this image" in found.logs()
    assert found.run("/usr/local/bin/healthcheck").stdout == "OK: Container healthy\n"
