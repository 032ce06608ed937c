"""The images page: what is there, what is older, and builds that are begun, followed and cancelled."""

import threading
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.conf import settings
from django.test import AsyncClient

from projects.models import Batch, CommandRun, Container, Event, ImageBuild
from projects.services import images
from projects.services.errors import BadInput, NotFound
from projects.services.outdated import outdated_containers
from projects.services.record import Actor
from projects.states import BatchAction, BuildState, RunState
from tests.cast import EVERYBODY
from tests.support import wait_until

ANN = Actor(name="ann")
OTHERS = [name for name in EVERYBODY if name not in ("administrator", "nobody")]


def image_of(engine, tag: str):
    return engine.images.find(tag)


def stand_on(cast, image_id: str) -> Container:
    """The project's container, made from that image."""
    project = cast.project
    project.docker_id = "c" * 64
    project.status = "running"
    project.save()
    now = project.created_at
    return Container.objects.create(
        project=project, docker_id=project.docker_id, name="c", generation=1, image="x", image_id=image_id, created_at=now
    )


@pytest.mark.parametrize("name", [name for name in EVERYBODY if name != "nobody"])
def test_everybody_who_is_signed_in_sees_the_base_image_and_only_administrators_its_builds(cast, fake_engine, name):
    ImageBuild.objects.create(tag="claude-dev-base:latest", actor_name="ann", state=BuildState.FAILED, message="It broke.")
    page = cast.browser(name).get("/images/").content.decode()
    assert image_of(fake_engine, settings.CONTAINERHUB.base_image).image_id[7:19] in page
    assert "RUN true" in page
    assert ("It broke." in page) is (name == "administrator")
    assert ("Only an administrator builds images." in page) is (name != "administrator")


def test_without_an_engine_the_page_says_so_and_offers_what_it_can(cast, fake_engine):
    fake_engine.down = True
    answer = cast.browser("owner").get("/images/")
    assert answer.status_code == 200
    assert b"does not answer" in answer.content


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("path", ["/images/build/", "/images/builds/1/cancel/"])
def test_nobody_else_builds_or_cancels(cast, fake_engine, posting, name, path):
    ImageBuild.objects.create(pk=1, tag="t", actor_name="ann")
    answer = posting(name, path)
    assert answer.status_code == 403
    assert b"administrator" in answer.content
    assert ImageBuild.objects.get().cancelled_by == ""
    assert fake_engine.images.builds == []


@pytest.mark.parametrize("path", ["/images/build/", "/images/refresh/", "/images/builds/1/cancel/"])
def test_looking_changes_nothing(cast, fake_engine, path):
    assert cast.browser("administrator").get(path).status_code == 405


@pytest.mark.django_db(transaction=True)
def test_a_build_is_begun_followed_and_found_again(cast, fake_engine, posting):
    answer = posting("administrator", "/images/build/", no_cache="on")
    build = ImageBuild.objects.get()
    assert answer.redirect_chain == [(f"/images/builds/{build.pk}/", 302)]
    wait_until(lambda: ImageBuild.objects.get().state == BuildState.FINISHED, 20)
    assert fake_engine.images.builds[0].no_cache
    page = cast.browser("administrator").get(f"/images/builds/{build.pk}/").content.decode()
    assert "Step 2/2 : RUN true" in page
    assert "data-follow" not in page
    client = AsyncClient()
    client.force_login(cast.users["administrator"], backend="django.contrib.auth.backends.ModelBackend")

    async def download():
        answer: Any = await client.get(f"/images/builds/{build.pk}/log.txt")
        return b"".join([part async for part in answer.streaming_content])

    assert async_to_sync(download)().startswith(b"Step 1/2 : FROM scratch\n")


@pytest.mark.django_db(transaction=True)
def test_a_build_that_runs_is_cancelled_from_another_page_and_says_by_whom(cast, fake_engine, posting):
    at_step, go_on = threading.Event(), threading.Event()

    def slow(name: str, _args: object) -> None:
        if name == "images.build":
            at_step.set()
            go_on.wait(20)

    fake_engine.before_call = slow
    posting("administrator", "/images/build/")
    assert at_step.wait(20)
    build = ImageBuild.objects.get()
    assert b'data-follow="1000"' in cast.browser("administrator").get(f"/images/builds/{build.pk}/").content
    posting("administrator", f"/images/builds/{build.pk}/cancel/")
    go_on.set()
    wait_until(lambda: ImageBuild.objects.get().state == BuildState.CANCELLED, 20)
    assert ImageBuild.objects.get().message.startswith("administrator cancelled it")
    assert list(Event.objects.values_list("kind", flat=True)) == ["image.cancelled", "image.cancelling", "image.building"]


def test_what_is_over_cannot_be_cancelled(cast):
    build = ImageBuild.objects.create(tag="t", actor_name="ann", state=BuildState.FINISHED)
    with pytest.raises(NotFound, match="over already"):
        images.cancel_build(build=build, actor=ANN)
    assert not Event.objects.exists()


def test_a_container_from_an_older_image_is_told_of_and_one_from_the_present_is_not(cast, fake_engine):
    base = settings.CONTAINERHUB.base_image
    row = stand_on(cast, image_of(fake_engine, base).image_id)
    everything = type(cast.project).objects.all()
    assert outdated_containers(everything) == []
    fake_engine.images.add(base)
    assert [one.container for one in outdated_containers(everything)] == [row]
    fake_engine.images.add(
        "v:1", labels={"io.containerhub.image": "variant", "io.containerhub.variant-of": image_of(fake_engine, base).image_id}
    )
    Container.objects.update(image_id=image_of(fake_engine, "v:1").image_id)
    assert outdated_containers(everything) == []


def test_the_idle_ones_are_refreshed_as_a_batch_that_asks_each_once_more(cast, fake_engine, posting):
    stand_on(cast, "sha256:old")
    posting("operator", "/images/refresh/")
    batch = Batch.objects.get()
    assert (batch.action, batch.details, batch.items.get().project) == (BatchAction.REFRESH, {"only_idle": True}, cast.project)


@pytest.mark.parametrize(("name", "busy"), [("viewer", False), ("stranger", False), ("operator", True)])
def test_a_busy_one_and_one_that_is_not_theirs_are_left_alone(cast, fake_engine, posting, name, busy):
    stand_on(cast, "sha256:old")
    if busy:
        CommandRun.objects.create(project=cast.project, state=RunState.RUNNING, command="make", timeout_seconds=60, actor_name="ann")
        assert b"A command is running." in cast.browser(name).get("/images/").content
    answer = posting(name, "/images/refresh/")
    assert b"no idle container" in answer.content
    assert not Batch.objects.exists()


def test_an_item_that_became_busy_meanwhile_is_left_as_it_is(cast, fake_engine, posting):
    from projects.services.batches import do_item

    stand_on(cast, "sha256:old")
    posting("operator", "/images/refresh/")
    CommandRun.objects.create(project=cast.project, state=RunState.RUNNING, command="make", timeout_seconds=60, actor_name="ann")
    item = Batch.objects.get().items.get()
    do_item(item.pk)
    item.refresh_from_db()
    assert (item.state, item.message.split(":")[0]) == ("failed", "Left as it is, since it is busy")
    assert "containers.create" not in fake_engine.calls


def test_a_batch_is_only_idle_where_it_refreshes(cast, fake_engine):
    from projects.services.batches import start_batch

    user = cast.users["owner"]
    batch = start_batch(projects=[cast.project], action=BatchAction.STOP, actor=Actor.of(user), only_idle=True)
    assert batch.details == {}
    with pytest.raises(BadInput):
        start_batch(projects=[], action=BatchAction.REFRESH, actor=Actor.of(user), only_idle=True)
