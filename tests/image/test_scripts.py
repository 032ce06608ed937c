"""The folder docker/, read as text."""

import subprocess
import sys
from pathlib import Path

from tests.sandbox import ROOT

CONTEXT = ROOT / "docker"


def test_shellcheck_has_nothing_to_say():
    shellcheck = Path(sys.executable).parent / "shellcheck"
    scripts = sorted((CONTEXT / "scripts").glob("*.sh"))
    assert len(scripts) == 4
    done = subprocess.run([shellcheck, "--severity=style", *scripts], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_scripts_can_be_executed():
    assert [path.name for path in (CONTEXT / "scripts").glob("*.sh") if not path.stat().st_mode & 0o111] == []


def test_the_folder_never_hides_the_docker_sdk():
    assert list(CONTEXT.rglob("__init__.py")) == []


def test_the_context_ignores_all_but_what_is_copied():
    ignore = (CONTEXT / ".dockerignore").resolve()
    assert ignore == CONTEXT / "base" / ".dockerignore"
    lines = [line for line in ignore.read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["*", "!base/Dockerfile", "!variant/Dockerfile", "!etc", "!scripts", "!extra-ca"]
