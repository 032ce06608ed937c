"""The completion scripts in a real bash and a real zsh, in a pseudo-terminal."""

import os
import shlex
import subprocess
import sys

import pexpect
import pytest

from tests.cli.conftest import Shell, made_box

PROMPT = "ready> "


@pytest.fixture(scope="module")
def furnished(tmp_path_factory, migrated):
    """A hub with two projects and a user, and `hub` on PATH as it is when installed."""
    sandbox = made_box(tmp_path_factory.mktemp("furnished"), migrated)
    for slug in ("docs", "site"):
        sandbox.add_project(slug)
    sandbox.python("from django.contrib.auth.models import User; User.objects.create_user('annabel')")
    programs = sandbox.directory / "bin"
    programs.mkdir()
    (programs / "hub").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m projects.cli "$@"\n')
    (programs / "hub").chmod(0o755)
    sandbox.environment |= {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "TERM": "dumb", "PS1": PROMPT, "HISTFILE": "/dev/null"}
    hub = Shell(sandbox)
    assert hub("secret", "set", "docs", "API_KEY", stdin="value\n").returncode == 0
    assert hub("git-token", "set", "docs", "github.com", stdin="value\n").returncode == 0
    return sandbox


def completed(box, line: str) -> list[str]:
    """What the shell is offered for the last word of the line."""
    words = {"_HUB_COMPLETE": "complete_bash", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split()) - 1)}
    done = subprocess.run(
        [sys.executable, "-m", "projects.cli"], env={**box.environment, **words}, capture_output=True, text=True, timeout=120
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "whole"),
    [("hub ensure do", "docs"), ("hub member set docs ann", "annabel"), ("hub user deact", "deactivate"), ("hub ps --wat", "--watch")],
)
def test_bash_completes_projects_users_commands_and_options(furnished, typed, whole):
    with pexpect.spawn("bash", ["--norc", "--noprofile", "-i"], env=furnished.environment, timeout=60, dimensions=(30, 200)) as shell:
        shell.expect_exact(PROMPT)
        shell.sendline("source <(hub completion bash) && echo loa''ded")
        shell.expect_exact("loaded")
        shell.expect_exact(PROMPT)
        shell.send(f"{typed}\t")
        shell.expect_exact(typed)
        shell.expect_exact(whole[len(typed.split()[-1]) :])


@pytest.mark.parametrize(("typed", "whole"), [("hub ensure do", "docs"), ("hub member set docs ann", "annabel")])
def test_zsh_completes_projects_and_users(furnished, typed, whole):
    with pexpect.spawn("zsh", ["-f", "-i"], env={**furnished.environment, "TERM": "xterm"}, timeout=60, dimensions=(30, 200)) as shell:
        shell.sendline(f"PS1='{PROMPT}'; unsetopt zle_bracketed_paste; autoload -Uz compinit && compinit -u -D; echo set''up")
        shell.expect_exact("setup")
        shell.sendline("source <(hub completion zsh) && echo loa''ded")
        shell.expect_exact("loaded")
        shell.expect_exact(PROMPT)
        shell.send(f"{typed}\t")
        shell.expect(f"{whole} ?")


def test_a_script_is_printed_for_a_shell_that_is_known(hub):
    script = hub("completion", "bash").stdout.decode()
    assert "_HUB_COMPLETE=complete_bash" in script
    assert hub("completion", "tcsh").returncode == 2


def test_completion_is_silent_where_there_is_no_database(hub, sandbox):
    sandbox.environment |= {
        "_HUB_COMPLETE": "complete_bash",
        "COMP_WORDS": "hub ensure d",
        "COMP_CWORD": "2",
        "CONTAINERHUB_DATA_DIR": str(sandbox.directory / "fresh"),
    }
    done = hub()
    assert (done.stdout.strip(), done.stderr) == (b"", b"")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("secret rm docs A", "API_KEY"),
        ("git-token rm docs g", "github.com"),
        ("user invite --role do", "docs=viewer"),
        ("member set docs annabel o", "operator"),
    ],
)
def test_names_within_a_project_complete(furnished, words, expected):
    assert expected in completed(furnished, f"hub {words}")
