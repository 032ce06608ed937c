"""`python3 -m containerhub.bootstrap up|test|lint|bench|lock`: what the Makefile calls."""

import os
import sys
from collections.abc import Callable, Sequence

from containerhub.bootstrap import base_image, checks, claude_cli, engine, node_modules, venv
from containerhub.bootstrap.places import CHECKOUT, PYTHON, VENV
from containerhub.bootstrap.run import become, die_with_parent, run, status_of
from containerhub.bootstrap.say import stop


def main(words: Sequence[str]) -> int:
    command = COMMANDS.get(words[0]) if len(words) == 1 else None
    if command is None:
        stop(f"Usage: python3 -m containerhub.bootstrap {'|'.join(COMMANDS)}")
    if not sys.platform.startswith("linux"):
        stop("ContainerHub runs on Linux: it shares directories and processes with the Docker Engine of its own machine.")
    die_with_parent()
    os.chdir(CHECKOUT)
    return command()


def up() -> int:
    venv.prepare("base")
    _surroundings()
    become("manage.py", "up")
    return 0


def test() -> int:
    venv.prepare("dev")
    checks.need_test_tools()
    if not _node_modules("dev"):
        stop("The tests need what package-lock.json names: make npm's registry reachable, then try again.")
    _surroundings()
    with checks.own_settings():
        run([PYTHON, "manage.py", "up", "--prepare"], "Preparing the image")
        return checks.run_all([*checks.static(), *checks.tests()])


def lint() -> int:
    venv.prepare("dev")
    return checks.run_all(checks.static())


def bench() -> int:
    venv.prepare("bench")
    _surroundings()
    run([PYTHON, "manage.py", "up", "--prepare"], "Preparing the image")
    become("-m", "bench")
    return 0


def lock() -> int:
    """Write requirements/*.txt from pyproject.toml; versions that stand there stay as long as they may (delete a line to renew it)."""
    venv.prepare("dev")
    options = ["--universal", "--python-version", "3.11", "--generate-hashes", "--no-annotate", "--no-header", "--no-emit-index-url"]
    uv = [VENV / "bin" / "uv", "pip", "compile", "--quiet", "pyproject.toml", *options]
    run([*uv, "--output-file", "requirements/base.txt"], "Locking")
    run([*uv, "--extra", "dev", "--constraint", "requirements/base.txt", "--output-file", "requirements/dev.txt"], "Locking")
    extras = ["--extra", "dev", "--extra", "bench"]
    run([*uv, *extras, "--constraint", "requirements/dev.txt", "--output-file", "requirements/bench.txt"], "Locking")
    return 0


def _settings() -> None:
    """A bad setting is one line before anything slow begins."""
    status = status_of([PYTHON, "-c", "from containerhub.config import load; load()"])
    if status:
        raise SystemExit(status)


def _node_modules(*parts: str) -> bool:
    return node_modules.prepare(*parts, *(["cli"] if claude_cli.is_wanted() else []))


def _surroundings() -> None:
    if not base_image.is_built():
        _settings()
        engine.prepare()
        base_image.prepare()
    _node_modules()
    claude_cli.prepare()


COMMANDS: dict[str, Callable[[], int]] = {"up": up, "test": test, "lint": lint, "bench": bench, "lock": lock}
