"""The system page: what it tells, what it offers where Engine and hub disagree, and that others see nothing of it."""

import pytest
from django.utils import timezone

from projects.engine.base import ContainerSpec, Mount
from projects.models import Event, Heartbeat, ImageBuild, Project
from projects.services.doctor.engine import used_percent
from projects.services.instance import instance_id
from projects.services.spec import hub_labels
from projects.states import BuildState, Status
from tests.cast import EVERYBODY

OTHERS = [name for name in EVERYBODY if name not in ("administrator", "nobody")]
PAGES = ["/system/", "/system/cleanup/", "/system/doctor/"]
FORMS = [
    "/system/cleanup/images/",
    "/system/cleanup/containers/",
    *(f"/system/drift/{word}/" for word in ("adopt", "remove", "forget", "look")),
]


@pytest.fixture
def stray(cast, fake_engine):
    """`stray(slug, ours)`: a container that runs over a workspace of its own; its id."""

    def make(slug: str, *, ours: bool = True, name: str = "") -> str:
        place = cast.host.workspace(slug)
        labels = {**hub_labels(instance_id()), "project_id": slug, "project_name": slug.title()} if ours else {}
        spec = ContainerSpec(
            name=name or f"claude-dev-{slug}",
            image="claude-dev-base:latest",
            labels=labels,
            mounts=(Mount(str(place), "/workspace"),),
            cpu_limit=1.5,
            memory_limit_bytes=256 << 20,
            pids_limit=99,
        )
        docker_id = fake_engine.containers.create(spec)
        fake_engine.containers.start(docker_id)
        return str(docker_id)

    return make


def names(fake_engine) -> list[str]:
    return sorted(box.name for box in fake_engine.boxes.values())


@pytest.mark.parametrize("name", OTHERS)
def test_others_may_not_look_nor_do(cast, fake_engine, posting, name):
    for path in PAGES:
        answer = cast.browser(name).get(path)
        assert answer.status_code == 403
        assert b"This needs an administrator." in answer.content
    for path in FORMS:
        assert posting(name, path, container="x", confirmed="1").status_code == 403
    assert b'href="/system/"' not in cast.browser(name).get("/images/").content


@pytest.mark.parametrize("path", FORMS)
def test_looking_does_nothing(cast, path):
    assert cast.browser("administrator").get(path).status_code == 405


def test_it_tells_of_the_engine_and_of_parts_that_live_and_are_silent(cast, fake_engine):
    now = timezone.now()
    Heartbeat.objects.create(role="worker", started_at=now, beat_at=now)
    page = cast.browser("administrator").get("/system/").content.decode()
    assert "20.10.0" in page
    assert page.count("silent") == 1
    assert "Every container has its project" in page


def test_an_engine_that_is_down_is_told_of(cast, fake_engine):
    fake_engine.down = True
    for path in PAGES:
        answer = cast.browser("administrator").get(path)
        assert answer.status_code == 200
        assert b"does not answer" in answer.content


def test_an_orphan_is_adopted_with_its_workspace_and_limits(cast, fake_engine, posting, stray):
    docker_id = stray("lost")
    assert "claude-dev-lost" in cast.browser("administrator").get("/system/").content.decode()
    answer = posting("administrator", "/system/drift/adopt/", container=docker_id)
    assert "The project Lost was made for it" in answer.content.decode()
    project = Project.objects.get(slug="lost")
    assert (project.path, project.docker_id, project.status) == (str(cast.host.roots / "lost"), docker_id, Status.RUNNING)
    assert (project.cpu_limit, project.memory_limit_mb, project.pids_limit, project.uses_host_credentials) == (1.5, 256, 99, False)
    assert "Every container has its project" in cast.browser("administrator").get("/system/").content.decode()


def test_an_orphan_is_removed_after_a_question_that_names_it(cast, fake_engine, posting, stray):
    docker_id = stray("lost")
    asked = posting("administrator", "/system/drift/remove/", container=docker_id).content.decode()
    assert "claude-dev-lost" in asked
    assert "What is lost" in asked
    assert names(fake_engine) == ["claude-dev-lost"]
    posting("administrator", "/system/drift/remove/", container=docker_id, confirmed="1")
    assert names(fake_engine) == []
    assert (cast.host.roots / "lost").is_dir()
    assert Event.objects.filter(kind="container.removed", actor_name="administrator").count() == 1


def test_a_foreign_container_and_a_projects_own_are_never_removed_from_here(cast, fake_engine, posting, stray):
    foreign = stray("web-of-others", ours=False, name="claude-dev-web")
    page = cast.browser("administrator").get("/system/").content.decode()
    assert "docker rm -f claude-dev-web" in page
    for action in ("adopt", "remove"):
        answer = posting("administrator", f"/system/drift/{action}/", container=foreign, confirmed="1")
        assert b"no orphan of this hub" in answer.content
    assert names(fake_engine) == ["claude-dev-web"]


def test_a_missing_container_is_forgotten_and_only_a_missing_one(cast, fake_engine, posting):
    Project.objects.update(status=Status.MISSING, docker_id="c" * 64, wanted="running")
    assert b"Missing: removed from outside" in cast.browser("administrator").get("/system/").content
    posting("administrator", "/system/drift/forget/", project="web")
    project = Project.objects.get()
    assert (project.status, project.wanted, project.docker_id) == (Status.NONE, "none", "")
    again = posting("administrator", "/system/drift/forget/", project="web")
    assert b"is not missing any more" in again.content
    assert posting("administrator", "/system/drift/forget/", project="nope").status_code == 404


def test_looking_again_compares_all_of_them_now(cast, fake_engine, posting):
    assert b"Looked: 0 had changed" in posting("administrator", "/system/drift/look/").content
    assert posting("administrator", "/system/drift/nothing/").status_code == 404


def test_how_full_a_disk_is_is_the_doctors_number_too(cast, fake_engine):
    preview = cast.browser("administrator").get("/system/cleanup/").context["preview"]
    for room in preview.rooms:
        assert abs(room.used_percent - used_percent(room.path)) < 1


def test_a_clean_up_is_shown_asked_for_and_does_what_was_shown(cast, fake_engine, posting, stray):
    first, second = stray("one"), stray("two")
    page = cast.browser("administrator").get("/system/cleanup/").content.decode()
    assert "claude-dev-one" in page
    assert "claude-dev-two" in page
    assert names(fake_engine) == ["claude-dev-one", "claude-dev-two"]
    asked = posting("administrator", "/system/cleanup/containers/", container=first[:12]).content.decode()
    assert "claude-dev-one" in asked
    assert "claude-dev-two" not in asked
    answer = posting("administrator", "/system/cleanup/containers/", container=first[:12], confirmed="1")
    assert b"1 of 1 containers were removed" in answer.content
    assert names(fake_engine) == ["claude-dev-two"]
    assert fake_engine.box(second).info().running


def test_replaced_images_are_shown_and_removed_unless_a_container_uses_them(cast, fake_engine, posting):
    old = fake_engine.images.add("claude-dev-base:latest", labels={"io.containerhub.image": "base"})
    ImageBuild.objects.create(tag="claude-dev-base:latest", image_id=old, actor_name="ann", state=BuildState.FINISHED)
    assert b"would be removed" not in cast.browser("administrator").get("/system/cleanup/").content
    fake_engine.images.add("claude-dev-base:latest", labels={"io.containerhub.image": "base"})
    assert b"would be removed" in cast.browser("administrator").get("/system/cleanup/").content
    assert fake_engine.images.find(old)
    assert old.encode() in posting("administrator", "/system/cleanup/images/").content
    assert fake_engine.images.find(old) is None


def test_the_doctors_findings_come_with_their_remedies_and_what_is_wrong_first(cast, fake_engine):
    page = cast.browser("administrator").get("/system/doctor/").content.decode()
    assert "older than 25.0.2" in page
    assert "Update Docker to 25.0.2 or newer" in page
    assert page.index(">warning<") < page.index(">well<")
