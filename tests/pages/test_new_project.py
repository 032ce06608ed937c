"""Making a project: over a directory that is chosen or typed, or of a repository that the worker clones."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from projects.models import Batch, Clone, Event, Project
from projects.services.clones import cancel_clone, do_clone, mend_clones, start_clone
from projects.services.errors import BadInput, Busy, NotFound
from projects.services.record import Actor
from projects.states import CloneState, Role
from tests.cast import EVERYBODY
from tests.engine.fake import Script
from tests.support import wait_until

URL = "https://git.example.com/team/site.git"
FORM = {"cpu_limit": "2", "memory_limit_mb": "512", "ensure": "on"}
OTHERS = [name for name in EVERYBODY if name not in ("administrator", "nobody")]


def grant(cast, name: str) -> None:
    cast.users[name].user_permissions.add(Permission.objects.get(codename="add_project"))


@pytest.fixture
def git(fake_engine):
    """Clones as git would, in the throw-away container's mount."""

    class Git:
        exit_code, said = 0, b"Cloning...\nReceiving objects:  50%\rReceiving objects: 100%, done.\n"

        def answer(self, box, spec):
            if "clone" not in spec.command:
                return None
            return Script(stdout=self.said, exit_code=self.exit_code)

    found = Git()
    fake_engine.handlers.append(found.answer)
    return found


@pytest.mark.parametrize("name", OTHERS)
def test_others_see_why_they_may_not_and_are_refused(cast, posting, name):
    page = cast.browser(name).get("/projects/new/").content.decode()
    assert "Only administrators, and people they allow to, make projects." in page
    assert "<form method" not in page.partition("<main")[2].partition("</main")[0]
    cast.host.workspace("site")
    assert posting(name, "/projects/new/", path=str(cast.host.roots / "site"), **FORM).status_code == 403
    assert cast.browser(name).get("/projects/new/check/?path=/tmp").status_code == 403
    assert Project.objects.count() == 1


def test_who_was_granted_it_makes_one_and_becomes_its_owner_without_the_hosts_credentials(cast, posting, fake_engine):
    grant(cast, "stranger")
    place = cast.host.workspace("site")
    answer = posting("stranger", "/projects/new/", path=str(place), name="My site", **FORM)
    assert "The project My site was made over" in answer.content.decode()
    project = Project.objects.get(slug="my-site")
    assert (project.path, project.cpu_limit, project.memory_limit_mb, project.uses_host_credentials) == (str(place), 2, 512, False)
    assert project.memberships.get().role == Role.OWNER
    assert Batch.objects.get().items.get().project == project
    refused = posting("stranger", "/projects/new/", path=str(cast.host.workspace("more")), lend="on", **FORM)
    assert "Only an administrator lends" in refused.content.decode()


def test_repositories_are_offered_and_fill_the_form_without_a_script(cast):
    (cast.host.workspace("found") / ".git").mkdir()
    browser = cast.browser("administrator")
    page = browser.get("/projects/new/").content.decode()
    path = str(cast.host.roots / "found")
    assert f'data-path="{path}"' in page
    filled = browser.get("/projects/new/", {"path": path, "name": "found"}).content.decode()
    assert f'name="path" value="{path}"' in filled


@pytest.mark.parametrize(
    ("path", "name", "told"),
    [
        ("relative", "", "is not absolute"),
        ("/etc", "", "not below a workspace root"),
        ("", "", "Give the workspace as an absolute path"),
        ("{roots}/web", "", "is the workspace of the project web already"),
        ("{roots}/missing", "", "make the directory first"),
        ("{roots}/rooted", "", "It belongs to root"),
        ("{roots}/fine", "Web", ""),
    ],
)
def test_a_path_is_judged_as_it_is_typed_and_as_it_is_sent_alike(cast, posting, path, name, told):
    cast.host.workspace("rooted", uid=0, gid=0)
    cast.host.workspace("fine")
    path = path.format(roots=cast.host.roots)
    found = cast.browser("administrator").get("/projects/new/check/", {"path": path, "name": name}).json()
    assert told in (found["problem"] or found["warning"])
    if found["problem"]:
        page = posting("administrator", "/projects/new/", path=path, name=name, **FORM).content.decode()
        assert told in page or (not path and "Choose a repository, or type a path." in page)
        assert Project.objects.count() == 1
    elif name:
        assert found["slug"] == "web-2"


def test_what_was_typed_stays_when_it_is_refused(cast, posting):
    page = posting("administrator", "/projects/new/", path="/etc", name="My name", cpu_limit="3", memory_limit_mb="512").content.decode()
    assert 'value="My name"' in page
    assert 'value="3.0"' in page or 'value="3"' in page
    assert "not below a workspace root" in page


def test_a_repository_is_cloned_by_the_worker_and_the_page_shows_how_far_it_is(cast, posting, git):
    answer = posting("administrator", "/projects/new/?from=git", url=URL, token="s3cr3t", **FORM)
    clone = Clone.objects.get()
    assert answer.redirect_chain == [(f"/projects/new/clones/{clone.pk}/", 302)]
    assert "data-follow" in answer.content.decode()
    assert (clone.state, clone.fields["uses_host_credentials"]) == (CloneState.QUEUED, False)
    do_clone(clone.pk)
    do_clone(clone.pk)
    clone.refresh_from_db()
    assert (clone.state, clone.token) == (CloneState.FINISHED, "")
    project = Project.objects.get(slug="site")
    assert (clone.project, project.path) == (project, str(cast.host.roots / "site"))
    assert (project.cpu_limit, project.git_credentials.get().token) == (2, "s3cr3t")
    assert Batch.objects.get().items.get().project == project
    page = cast.browser("administrator").get(f"/projects/new/clones/{clone.pk}/").content.decode()
    assert "Open site" in page
    assert "data-follow" not in page
    assert "s3cr3t" not in page + str(list(Event.objects.values()))


@pytest.mark.django_db(transaction=True)
def test_what_git_says_is_seen_meanwhile_and_a_cancel_leaves_nothing(cast, fake_engine, git, monkeypatch):
    monkeypatch.setattr("projects.services.clones.clone_project", _endless)
    clone = start_clone(actor=Actor.of(cast.users["administrator"]), url=URL)
    worker = threading.Thread(target=do_clone, args=(clone.pk,))
    worker.start()
    try:
        wait_until(lambda: "100%" in Clone.objects.get().output, 20)
        assert Clone.objects.get().output == "Cloning...\nReceiving: 100%"
    finally:
        cancel_clone(clone=clone, actor=Actor(name="ann"))
        worker.join(20)
    assert (Clone.objects.get().state, Clone.objects.get().message) == ("cancelled", "ann cancelled it; nothing of it is left.")


def _endless(*, on_output, stop, **_more):
    on_output(b"Cloning...\nReceiving:  50%\rReceiving: 100%\r")
    wait_until(stop, 20)
    raise BadInput("It was interrupted.")


def test_one_that_fails_says_gits_words_and_can_be_tried_again(cast, git):
    git.exit_code, git.said = 128, b"fatal: repository not found\n"
    clone = start_clone(actor=Actor.of(cast.users["administrator"]), url=URL)
    do_clone(clone.pk)
    page = cast.browser("administrator").get(f"/projects/new/clones/{clone.pk}/").content.decode()
    assert "repository not found" in page
    assert "Try again" in page
    assert list(Path(cast.host.roots).iterdir()) == [cast.host.roots / "web"]


def test_one_is_its_own_users_affair(cast, posting):
    grant(cast, "owner")
    clone = start_clone(actor=Actor.of(cast.users["owner"]), url=URL, uses_host_credentials=False)
    for name in EVERYBODY[:-1]:
        status = cast.browser(name).get(f"/projects/new/clones/{clone.pk}/").status_code
        assert status == (200 if name in ("owner", "administrator") else 404), name
    assert posting("viewer", f"/projects/new/clones/{clone.pk}/cancel/").status_code == 404
    posting("owner", f"/projects/new/clones/{clone.pk}/cancel/")
    assert Clone.objects.get().state == CloneState.CANCELLED
    do_clone(clone.pk)
    assert Clone.objects.get().state == CloneState.CANCELLED
    with pytest.raises(NotFound, match="over already"):
        cancel_clone(clone=clone, actor=Actor(name="ann"))


def test_one_that_may_make_projects_no_more_gets_none(cast, git):
    grant(cast, "owner")
    clone = start_clone(actor=Actor.of(cast.users["owner"]), url=URL, uses_host_credentials=False)
    cast.users["owner"].user_permissions.clear()
    do_clone(clone.pk)
    assert "may not make projects any more" in Clone.objects.get().message
    assert Project.objects.count() == 1


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"url": "ftp://x/y"}, BadInput),
        ({"url": URL, "path": "/etc/site"}, BadInput),
        ({"url": URL, "memory_limit_mb": 1}, BadInput),
        ({"url": "git@github.com:a/b.git", "token": "t"}, BadInput),
    ],
)
def test_what_can_be_told_to_be_wrong_is_refused_at_once(cast, fields, error):
    with pytest.raises(error):
        start_clone(actor=Actor.of(cast.users["administrator"]), **fields)
    assert not Clone.objects.exists()


def test_there_are_not_too_many_at_once_and_dead_ones_are_mended(cast):
    admin = Actor.of(cast.users["administrator"])
    clones = [start_clone(actor=admin, url=f"https://git.example.com/r{number}.git", token="t") for number in range(4)]
    with pytest.raises(Busy):
        start_clone(actor=admin, url=URL)
    long_ago = timezone.now() - timedelta(minutes=5)
    Clone.objects.filter(pk=clones[0].pk).update(state=CloneState.RUNNING, claimed_at=long_ago)
    Clone.objects.filter(pk=clones[1].pk).update(state=CloneState.RUNNING, claimed_at=timezone.now())
    assert mend_clones() == 1
    states = dict(Clone.objects.values_list("pk", "state"))
    assert [states[clone.pk] for clone in clones] == ["failed", "running", "queued", "queued"]
    assert Clone.objects.get(pk=clones[0].pk).token == ""
