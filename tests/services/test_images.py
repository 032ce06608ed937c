"""Builds of the base image: their rows, logs, events and lock; and which image a container is made from."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from projects.engine.base import BuildProgress, BuildSpec, ImageInfo
from projects.engine.errors import BuildFailed, EngineUnreachable, WrongState
from projects.models import Event, ImageBuild
from projects.services import images, variants
from projects.services.build_context import extra_certificates
from projects.services.engines import use_engine
from projects.services.errors import BadInput, Busy, ImageMissing
from projects.services.filelock import FileLock
from projects.services.record import Actor
from projects.services.variants import ensure_variant, remove_unused_variants, variant_tag
from projects.states import BuildState

pytestmark = pytest.mark.django_db(transaction=True)
ANN = Actor(name="ann")
BASE_ID = "sha256:" + "ab" * 32
PEM = b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


class Shelf:
    """An Engine that has images only: what is built stands on it at once; `before_line` may fail or wait."""

    def __init__(self) -> None:
        self.images = self
        self.found: dict[str, ImageInfo] = {}
        self.specs: list[BuildSpec] = []
        self.used: set[str] = set()
        self.before_line: Callable[[int], None] = lambda _number: None

    def put(self, name: str, image_id: str, **labels: str) -> None:
        self.found[name] = ImageInfo(image_id, (name,), datetime(2026, 1, 1, tzinfo=UTC), 1, labels, "claude", {})

    def inspect(self, ref: str) -> ImageInfo | None:
        return self.found.get(ref)

    def list(self, *, labels: dict[str, str]) -> list[ImageInfo]:
        return [info for info in self.found.values() if labels.items() <= info.labels.items()]

    def build(self, spec: BuildSpec, *, stop: Callable[[], bool] | None = None) -> Iterator[BuildProgress]:
        self.specs.append(spec)
        image_id = f"sha256:{len(self.specs):064x}"
        for number in (1, 2):
            self.before_line(number)
            yield BuildProgress(line=f"Step {number}/2 : RUN ü", step=number, steps=2)
        self.put(spec.tag, image_id)
        self.found[spec.tag] = replace(self.found[spec.tag], labels=spec.labels)
        yield BuildProgress(line="built", step=2, steps=2, image_id=image_id)

    def remove(self, ref: str) -> None:
        if ref in self.used:
            raise WrongState("in use")
        self.found = {name: info for name, info in self.found.items() if ref not in (name, info.image_id)}


@pytest.fixture
def shelf(tmp_path, settings):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(
        update={"data_dir": tmp_path, "extra_ca_dir": tmp_path / "ca", "base_image": "dev-base:latest", "node_version": "22"}
    )
    shelf: Any = Shelf()
    use_engine(shelf)
    yield shelf
    use_engine(None)


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


# -- builds


def test_a_build_leaves_its_row_its_log_and_its_events(shelf):
    seen: list[BuildProgress] = []
    build = images.build_image(actor=ANN, on_progress=seen.append)
    kept = ImageBuild.objects.get()
    assert (kept.pk, kept.state, kept.step, kept.steps, kept.actor_name) == (build.pk, BuildState.FINISHED, 2, 2, "ann")
    assert kept.image_id == f"sha256:{1:064x}"
    assert kept.finished_at is not None
    assert images.build_log(kept).decode() == "Step 1/2 : RUN ü\nStep 2/2 : RUN ü\nbuilt\n"
    assert [progress.line for progress in seen] == ["Step 1/2 : RUN ü", "Step 2/2 : RUN ü", "built"]
    assert kinds() == ["image.building", "image.built"]


def test_a_build_asks_for_the_images_own_dockerfile_with_the_settings_values(shelf):
    images.build_image(actor=ANN, no_cache=True)
    (spec,) = shelf.specs
    assert (spec.tag, spec.dockerfile, spec.no_cache) == ("dev-base:latest", "base/Dockerfile", True)
    assert (spec.context / "base" / "Dockerfile").is_file()
    assert spec.build_args == {"NODE_VERSION": "22"}


def test_the_row_and_the_log_grow_while_it_goes_on(shelf):
    shown = []

    def look(progress):
        row = ImageBuild.objects.get()
        shown.append((row.state, row.step, images.build_log(row).count(b"\n")))

    images.build_image(actor=ANN, on_progress=look)
    assert shown == [("running", 1, 1), ("running", 2, 2), ("running", 2, 3)]


def test_a_log_can_be_read_on_from_where_one_stood(shelf):
    build = images.build_image(actor=ANN)
    whole = images.build_log(build, 0)
    assert images.build_log(build, 7) == whole[7:]
    assert images.build_log(build, len(whole)) == b""
    assert images.build_log(ImageBuild(pk=999), 0) == b""


def test_a_failed_build_says_why_and_is_no_exception(shelf):
    def fail(number):
        if number == 2:
            raise BuildFailed("The build failed at step 2 of 2: no space left")

    shelf.before_line = fail
    build = images.build_image(actor=ANN)
    assert (build.state, build.message) == (BuildState.FAILED, "The build failed at step 2 of 2: no space left")
    assert kinds() == ["image.building", "image.failed"]
    assert images.build_log(build) == "Step 1/2 : RUN ü\n".encode()


def test_an_engine_that_is_gone_is_said_and_the_next_build_is_free(shelf):
    def fail(_number):
        raise EngineUnreachable("The Docker Engine does not answer.")

    shelf.before_line = fail
    with pytest.raises(EngineUnreachable):
        images.build_image(actor=ANN)
    assert ImageBuild.objects.get().state == BuildState.FAILED
    shelf.before_line = lambda _number: None
    assert images.build_image(actor=ANN).state == BuildState.FINISHED


def test_a_build_that_is_broken_off_is_marked_so(shelf):
    def fail(_number):
        raise KeyboardInterrupt

    shelf.before_line = fail
    with pytest.raises(KeyboardInterrupt):
        images.build_image(actor=ANN)
    assert ImageBuild.objects.get().state == BuildState.INTERRUPTED


def test_a_second_build_of_the_same_image_is_refused_while_the_first_goes_on(shelf):
    going_on, go_on = threading.Event(), threading.Event()

    def hold(number):
        going_on.set()
        assert go_on.wait(10)

    shelf.before_line = hold
    build = images.start_build(actor=ANN)
    assert build.state == BuildState.RUNNING
    assert going_on.wait(10)
    with pytest.raises(Busy, match="is being built already"):
        images.build_image(actor=ANN)
    assert images.mark_interrupted_builds() == 0
    go_on.set()
    for thread in threading.enumerate():
        if thread.name == f"build-{build.pk}":
            thread.join(10)
    build.refresh_from_db()
    assert build.state == BuildState.FINISHED
    assert images.build_image(actor=ANN).state == BuildState.FINISHED
    assert ImageBuild.objects.count() == 2


def test_the_row_of_a_builder_that_died_is_marked_and_does_not_block(shelf):
    dead = ImageBuild.objects.create(tag="dev-base:latest", actor_name="ann")
    other = ImageBuild.objects.create(tag="other:latest", actor_name="ann")
    assert images.build_image(actor=ANN).state == BuildState.FINISHED
    dead.refresh_from_db()
    assert dead.state == BuildState.INTERRUPTED
    assert "start the build again" in dead.message
    assert images.mark_interrupted_builds() == 1
    other.refresh_from_db()
    assert other.state == BuildState.INTERRUPTED
    assert images.mark_interrupted_builds() == 0


# -- certificates


def test_certificates_of_the_host_go_into_the_context(shelf, tmp_path):
    folder = tmp_path / "ca" / "team"
    folder.mkdir(parents=True)
    (folder / "proxy.crt").write_bytes(PEM)
    (folder.parent / "own.crt").write_bytes(PEM)
    images.build_image(actor=ANN)
    assert shelf.specs[0].files == {"extra-ca/own.crt": PEM, "extra-ca/team_proxy.crt": PEM}


def test_only_certificates_are_taken_and_never_a_private_key(shelf, tmp_path):
    folder = tmp_path / "ca"
    folder.mkdir()
    (folder / "binary.crt").write_bytes(b"\x30\x82")
    (folder / "both.crt").write_bytes(PEM + b"-----BEGIN RSA PRIVATE KEY-----\n")
    (folder / "readme.txt").write_bytes(PEM)
    (folder / "gone.crt").symlink_to("nowhere")
    (folder / "folder.crt").mkdir()
    assert extra_certificates() == {}


def test_a_host_without_extra_certificates_is_no_error(shelf):
    assert extra_certificates() == {}


# -- variants


def test_an_image_whose_user_has_the_numbers_is_used_itself(shelf):
    shelf.put("dev-base:latest", BASE_ID, **{"io.containerhub.claude": "1000:1000"})
    assert ensure_variant(shelf, "dev-base:latest", 1000, 1000) == "dev-base:latest"
    assert shelf.specs == []


def test_other_numbers_get_a_variant_that_is_built_once(shelf):
    shelf.put("dev-base:latest", BASE_ID, **{"io.containerhub.claude": "1000:1000"})
    tag = ensure_variant(shelf, "dev-base:latest", 1001, 1002)
    assert tag == "dev-base:abababababab-u1001-g1002"
    assert ensure_variant(shelf, "dev-base:latest", 1001, 1002) == tag
    (spec,) = shelf.specs
    assert spec.build_args == {"BASE": BASE_ID, "UID": "1001", "GID": "1002"}
    assert spec.labels["io.containerhub.variant-of"] == BASE_ID


def test_an_image_without_a_label_gets_a_variant_for_1000_too(shelf):
    shelf.put("debian:bookworm-slim", BASE_ID)
    assert ensure_variant(shelf, "debian:bookworm-slim", 1000, 1000) == "debian:abababababab-u1000-g1000"


def test_a_variant_made_from_older_scripts_is_made_anew(shelf, monkeypatch):
    shelf.put("dev-base:latest", BASE_ID)
    ensure_variant(shelf, "dev-base:latest", 1001, 1001)
    monkeypatch.setattr(variants, "variant_digest", lambda: "newer")
    ensure_variant(shelf, "dev-base:latest", 1001, 1001)
    assert len(shelf.specs) == 2


def test_many_at_once_build_it_once(shelf):
    shelf.put("dev-base:latest", BASE_ID)
    everybody = threading.Barrier(8)
    answers = []

    def ask():
        everybody.wait(10)
        answers.append(ensure_variant(shelf, "dev-base:latest", 1001, 1001))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(shelf.specs) == 1
    assert answers == ["dev-base:abababababab-u1001-g1001"] * 8


def test_a_builder_that_never_ends_is_not_waited_for_for_ever(shelf, tmp_path, monkeypatch):
    shelf.put("dev-base:latest", BASE_ID)
    monkeypatch.setattr(variants, "WAIT_SECONDS", 0)
    lock = FileLock(tmp_path / "builds" / "variant-abababababab-u1001-g1001.lock")
    assert lock.take()
    with pytest.raises(Busy):
        ensure_variant(shelf, "dev-base:latest", 1001, 1001)
    lock.release()
    assert ensure_variant(shelf, "dev-base:latest", 1001, 1001)


def test_a_missing_image_is_named_with_the_remedy(shelf):
    with pytest.raises(ImageMissing, match="make up, or hub build"):
        ensure_variant(shelf, "dev-base:latest", 1000, 1000)
    with pytest.raises(ImageMissing, match="docker pull team/tool:1"):
        ensure_variant(shelf, "team/tool:1", 1000, 1000)


@pytest.mark.parametrize(("uid", "gid"), [(0, 0), (-1, 5), (2**32 - 1, 5), (5, -1)])
def test_root_and_impossible_numbers_are_refused(shelf, uid, gid):
    with pytest.raises(BadInput):
        ensure_variant(shelf, "dev-base:latest", uid, gid)


@pytest.mark.parametrize(
    ("image", "repository"),
    [
        ("dev-base", "dev-base"),
        ("dev-base:1.2", "dev-base"),
        ("team/tool", "team/tool"),
        ("registry.example:5000/team/tool:1", "registry.example:5000/team/tool"),
        ("registry.example:5000/tool", "registry.example:5000/tool"),
        ("team/tool:1@sha256:" + "0" * 64, "team/tool"),
        ("sha256:" + "0" * 64, "containerhub-variant"),
        ("0123456789ab", "containerhub-variant"),
    ],
)
def test_a_variants_tag_stands_in_the_images_repository(image, repository):
    assert variant_tag(image, BASE_ID, 7, 8) == f"{repository}:abababababab-u7-g8"


def test_variants_of_a_rebuilt_image_are_removed_unless_a_container_uses_them(shelf):
    shelf.put("dev-base:latest", BASE_ID)
    unused = ensure_variant(shelf, "dev-base:latest", 1001, 1001)
    used = ensure_variant(shelf, "dev-base:latest", 1002, 1002)
    assert remove_unused_variants(shelf) == []
    shelf.put("dev-base:latest", "sha256:" + "cd" * 32)
    current = ensure_variant(shelf, "dev-base:latest", 1001, 1001)
    shelf.used = {used}
    assert remove_unused_variants(shelf) == [unused]
    assert set(shelf.found) == {"dev-base:latest", used, current}


def test_replaced_builds_of_this_hub_are_removed_and_nobody_elses(shelf):
    base = {"io.containerhub.image": "base"}
    for name, image_id in (("now", "sha256:1"), ("ours", "sha256:2"), ("theirs", "sha256:3")):
        shelf.put(name, image_id, **base)
    for name in ("ours", "theirs"):
        shelf.found[name] = replace(shelf.found[name], tags=())
    for image_id in ("sha256:1", "sha256:2"):
        ImageBuild.objects.create(tag="now", state=BuildState.FINISHED, image_id=image_id, actor_name="ann")
    assert remove_unused_variants(shelf) == ["sha256:2"]
    assert set(shelf.found) == {"now", "theirs"}
