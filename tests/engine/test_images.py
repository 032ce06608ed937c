"""Builds of the real Engine, beyond the contract."""

import os
import tarfile
import threading
import time
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from projects.engine.base import BuildSpec
from projects.engine.errors import BuildFailed, ConnectionLost, EngineUnreachable
from projects.engine.images import Progress, write_context
from tests.engine.lab import IMAGE
from tests.support import wait_until


def packed(spec: BuildSpec) -> dict[str, tarfile.TarInfo]:
    buffer = BytesIO()
    write_context(spec, buffer)
    buffer.seek(0)
    with tarfile.open(fileobj=buffer) as tar:
        return {entry.name: entry for entry in tar}


def context(directory: Path, **files: str) -> Path:
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_dot_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory


# -- the context ----------------------------------------------------------------------------


def test_the_context_keeps_modes_and_hides_the_hosts_owners(tmp_path):
    context(tmp_path, Dockerfile="FROM x", scripts__run="#!/bin/sh")
    (tmp_path / "scripts/run").chmod(0o755)
    os.symlink("run", tmp_path / "scripts/link")
    found = packed(BuildSpec(tmp_path, "x"))
    assert found["scripts/run"].mode & 0o777 == 0o755
    assert found["scripts/link"].issym()
    assert {(entry.uid, entry.uname) for entry in found.values()} == {(0, "root")}


def test_the_ignore_file_beside_the_dockerfile_counts(tmp_path):
    context(tmp_path, base__Dockerfile="FROM x", base___dot_dockerignore="# no secrets\n**/*.key\n", a__b_dot_key="x", a__b_dot_txt="x")
    found = packed(BuildSpec(tmp_path, "x", dockerfile="base/Dockerfile"))
    assert "a/b.txt" in found
    assert "a/b.key" not in found
    assert "base/Dockerfile" in found


def test_the_dockerfile_goes_along_even_where_it_is_ignored(tmp_path):
    context(tmp_path, Dockerfile="FROM x", _dot_dockerignore="*\n", big="x")
    found = packed(BuildSpec(tmp_path, "x"))
    assert "Dockerfile" in found
    assert "big" not in found


def test_added_files_take_the_place_of_those_in_the_directory(tmp_path):
    context(tmp_path, Dockerfile="FROM x", note="old")
    found = packed(BuildSpec(tmp_path, "x", files={"note": b"newer", "certs/ca.crt": b"pem"}))
    assert (found["note"].size, found["certs/ca.crt"].size) == (5, 3)


def test_a_context_that_cannot_be_read_is_said_in_one_sentence(live, tmp_path):
    with pytest.raises(BuildFailed, match="cannot be read"):
        list(live.engine.images.build(BuildSpec(tmp_path / "missing", f"{live.run_id}:x")))


# -- what the builder says ------------------------------------------------------------------


def test_lines_are_whole_wherever_the_builder_cut_them():
    answers: list[dict[str, Any]] = [
        {"stream": "Step 1/2 : FROM x\n"},
        {"stream": "one, "},
        {"stream": "two\nthree"},
        {"aux": {"ID": "sha256:" + "a" * 64}},
    ]
    lines = list(Progress().of(answers))
    assert [line.line for line in lines] == ["Step 1/2 : FROM x", "one, two", "three", "Built aaaaaaaaaaaa"]
    assert (lines[1].step, lines[1].steps) == (1, 2)
    assert lines[-1].image_id == "sha256:" + "a" * 64


def test_a_builder_that_falls_silent_before_the_image_lost_the_connection():
    with pytest.raises(ConnectionLost, match="build again"):
        list(Progress().of([{"stream": "Step 1/2 : FROM x\n"}]))


# -- on the Engine --------------------------------------------------------------------------


@pytest.mark.live
def test_a_failed_build_tells_the_step_its_command_and_the_last_words(live, tmp_path):
    context(tmp_path, Dockerfile=f"FROM {IMAGE}\nRUN echo no space on Mars; exit 7\n")
    with pytest.raises(BuildFailed) as failed:
        list(live.engine.images.build(BuildSpec(tmp_path, f"{live.run_id}:bad", labels=live.labels)))
    for words in ("step 2 of", "echo no space on Mars", "non-zero code: 7", "said last: no space on Mars"):
        assert words in str(failed.value)


@pytest.mark.live
@pytest.mark.parametrize("dockerfile", ["", "FORM x\n", "FROM\n"])
def test_a_dockerfile_that_is_none_is_a_failed_build(live, tmp_path, dockerfile):
    context(tmp_path, Dockerfile=dockerfile)
    with pytest.raises(BuildFailed):
        list(live.engine.images.build(BuildSpec(tmp_path, f"{live.run_id}:bad", labels=live.labels)))


@pytest.mark.live
def test_build_arguments_files_and_labels_reach_the_image(live, tmp_path):
    context(tmp_path, base__Dockerfile="ARG BASE\nFROM $BASE\nCOPY note /note\nRUN grep -q hello /note\nENV SEEN=yes\nUSER 1234\n")
    spec = BuildSpec(
        tmp_path,
        f"{live.run_id}:good",
        "base/Dockerfile",
        build_args={"BASE": IMAGE},
        labels=live.labels | {"x": "y z"},
        files={"note": b"hello\n"},
    )
    list(live.engine.images.build(spec))
    image = live.engine.images.inspect(spec.tag)
    assert (image.user, image.environment["SEEN"], image.labels["x"]) == ("1234", "yes", "y z")


@pytest.mark.live
def test_a_build_tells_its_lines_as_they_happen_and_ends_when_it_is_closed(live, tmp_path):
    context(tmp_path, Dockerfile=f"FROM {IMAGE}\nRUN echo {live.run_id}; sleep 120\n")
    began = time.monotonic()
    lines = live.engine.images.build(BuildSpec(tmp_path, f"{live.run_id}:long", labels=live.labels))
    assert any(live.run_id in line.line and not line.line.startswith("Step") for line in lines)
    assert time.monotonic() - began < 60
    lines.close()
    client = live.engine.connection.client()
    wait_until(lambda: not any(live.run_id in row["Command"] for row in client.containers()), 30, reason="the build's container runs on")


@pytest.mark.live
def test_a_build_whose_engine_goes_away_says_so(behind, proxy, tmp_path):
    context(tmp_path, Dockerfile=f"FROM {IMAGE}\nRUN echo {behind.run_id}; sleep 60\n")
    lines = behind.engine.images.build(BuildSpec(tmp_path, f"{behind.run_id}:cut", labels=behind.labels))
    next(line for line in lines if line.step == 2)
    threading.Timer(0.2, proxy.cut).start()
    with pytest.raises(EngineUnreachable):
        list(lines)
