"""What is in the image, asked of the image itself."""

import json

import pytest

from tests.image.conftest import docker

pytestmark = pytest.mark.live

TOOLS = {
    "git": "git version 2.",
    "curl": "curl ",
    "wget": "GNU Wget",
    "gcc": "gcc ",
    "make": "GNU Make",
    "tree": "tree v",
    "vim": "VIM - Vi IMproved",
    "sudo": "Sudo version",
    "ps": "procps",
    "less": "less ",
    "python": "Python 3.11.",
    "python3": "Python 3.11.",
    "python3.11": "Python 3.11.",
    "pip3": "(python 3.11)",
    "node": "v20.",
    "npm": "10.",
    "npx": "10.",
    "yarn": "1.22.",
    "pnpm": "10.",
    "tsc": "Version 5.",
    "eslint": "v9.",
    "prettier": "3.",
    "pytest": "pytest 8.",
    "black": "black, 25.",
    "flake8": "7.",
    "mypy": "mypy 1.",
}
OTHER_WAYS = {"ssh -V 2>&1": "OpenSSH_", "tmux -V": "tmux 3.", "update-ca-certificates --help": "update-ca-certificates"}
COMMANDS = {**{f"{tool} --version": words for tool, words in TOOLS.items()}, **OTHER_WAYS}


@pytest.mark.parametrize("shell", ["-c", "-lc"], ids=["shell", "login-shell"])
def test_every_tool_answers_as_claude(container, shell):
    script = "\n".join(f'echo "<$({command} < /dev/null | tr "\\n" " ")>"' for command in COMMANDS)
    answers = container.run("bash", shell, f"PATH=$PATH:/usr/sbin\n{script}").stdout.splitlines()
    assert len(answers) == len(COMMANDS)
    wrong = {command: answer for (command, words), answer in zip(COMMANDS.items(), answers, strict=True) if words not in answer}
    assert wrong == {}


def test_the_tools_that_the_hub_adds_stand_in_usr_local_bin(container):
    names = (
        "node npm npx yarn pnpm tsc eslint prettier pytest black flake8 mypy init-project init-project.sh healthcheck git-askpass-helper"
    )
    assert container.sh(f"cd / && for tool in {names}; do [ -x /usr/local/bin/$tool ] || echo $tool; done") == ""


def test_a_virtual_environment_can_be_made_and_has_pip(container):
    assert "pip" in container.sh("cd /tmp && python -m venv fresh && fresh/bin/pip --version && rm -r fresh")


def test_a_program_in_c_compiles_and_runs(container):
    script = "cd /tmp && printf '#include <stdio.h>\\nint main(void){puts(\"made\");}' > a.c && cc a.c -o a && ./a && rm a a.c"
    assert container.sh(script) == "made"


def test_claude_has_the_plans_home_shell_and_numbers(container):
    assert container.sh("getent passwd claude") == "claude:x:1000:1000:claude:/home/claude:/bin/bash"
    assert container.sh("id -un; id -u; id -gn; id -g") == "claude\n1000\nclaude\n1000"
    assert container.sh("stat -c '%U %a' /home/claude /workspace /run/containerhub") == "claude 755\n" * 2 + "claude 755"


def test_sudo_needs_no_password_and_keeps_the_marker_of_an_exec(container):
    assert container.run("sudo", "-n", "id", "-u").stdout.strip() == "0"
    kept = container.run("sudo", "-n", "printenv", "CONTAINERHUB_EXEC_ID", CONTAINERHUB_EXEC_ID="abc123").stdout.strip()
    assert kept == "abc123"


def test_sudo_keeps_the_certificates_and_drops_other_variables(container):
    names = container.run("sudo", "-n", "env", GITHUB_TOKEN="kept-out").stdout
    assert "NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt" in names
    assert "kept-out" not in names


def test_the_sudoers_file_is_valid_and_closed(container):
    assert container.sh("stat -c '%U:%G %a' /etc/sudoers.d/containerhub", user="root") == "root:root 440"
    assert "bad permissions" not in container.run("visudo", "-c", user="root").stdout


def test_git_has_the_defaults_and_a_gitconfig_of_the_users_own_goes_before_them(container):
    ask = "cd / && git config safe.directory; git config init.defaultBranch; git config pull.rebase"
    assert container.sh(ask) == "/workspace\nmain\nfalse"
    own = "cd /tmp && printf '[pull]\\nrebase = true\\n' > own && GIT_CONFIG_GLOBAL=/tmp/own git config pull.rebase; rm own"
    assert container.sh(own) == "true"


def test_a_repository_of_another_owner_is_safe_in_the_workspace(start, workspace):
    found = start("-v", f"{workspace}:/workspace")
    found.sh("git init -q . && touch a && chown -R 1234:1234 /workspace", user="root")
    assert found.sh("git status --short") == "?? a"


def test_python_and_node_trust_the_systems_certificates(container):
    script = "import ssl; print(ssl.create_default_context().cert_store_stats()['x509_ca'] > 50)"
    assert container.run("python", "-c", script).stdout.strip() == "True"
    bundle = "/etc/ssl/certs/ca-certificates.crt"
    assert container.sh("echo $PIP_CERT $SSL_CERT_FILE $REQUESTS_CA_BUNDLE $NODE_EXTRA_CA_CERTS") == " ".join([bundle] * 4)


def test_the_image_names_its_user_health_check_and_command(base_image):
    config = json.loads(docker("image", "inspect", base_image).stdout)[0]["Config"]
    assert config["User"] == "claude"
    assert config["WorkingDir"] == "/workspace"
    assert config["Cmd"] == ["/usr/local/bin/init-project.sh"]
    assert config["Healthcheck"]["Test"] == ["CMD", "/usr/local/bin/healthcheck"]
    assert config["Labels"]["io.containerhub.image"] == "base"
    assert config["Labels"]["io.containerhub.claude"] == "1000:1000"
    assert [name for name in config["Env"] if "TOKEN" in name or "SECRET" in name] == []


def test_the_build_leaves_no_package_lists_and_no_build_files(container):
    assert container.sh("find /var/lib/apt/lists /usr/local/share/containerhub /root/.npm -mindepth 1", user="root", check=False) == ""
