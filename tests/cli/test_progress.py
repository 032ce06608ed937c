"""Progress of builds and clones: a bar on a real terminal, plain lines in a pipe."""

import subprocess
import sys

import pexpect
import pytest

SCRIPT = """
import django, sys; django.setup()
from projects.cli.progress import BuildSteps, GitSteps
from projects.engine.base import BuildProgress
with BuildSteps("Building") as steps:
    for step in (1, 2):
        steps(BuildProgress(line=f"Step {step}/2 : RUN true\\n\\x1b[2Jescape", step=step, steps=2))
        steps._progress and steps._progress.refresh()
with GitSteps("Cloning") as steps:
    for data in (b"Cloning into '/workspace'...\\n", b"Receiving obj", b"ects:  50% (1/2)\\rReceiving objects: 100% (2/2), done.\\n"):
        steps(data)
        steps._progress and steps._progress.refresh()
print("done")
"""


@pytest.fixture
def environment(sandbox):
    return {**sandbox.environment, "TERM": "xterm-256color"}


def test_in_a_pipe_each_step_is_a_line_on_stderr_without_escapes(environment):
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "done\n")
    assert done.stderr.splitlines() == [
        "[1/2] Step 1/2 : RUN true",
        "[1/2] �[2Jescape",
        "[2/2] Step 2/2 : RUN true",
        "[2/2] �[2Jescape",
        "Cloning into '/workspace'...",
        "Receiving objects: 100% (2/2), done.",
    ]


def test_on_a_terminal_a_bar_moves_and_is_gone_afterwards(environment):
    with pexpect.spawn(sys.executable, ["-c", SCRIPT], env=environment, timeout=60, dimensions=(30, 120)) as terminal:
        terminal.expect("50%")
        terminal.expect("100%")
        terminal.expect("Receiving objects")
        terminal.expect("done\r\n")
        terminal.expect(pexpect.EOF)
        terminal.wait()
        assert terminal.exitstatus == 0
