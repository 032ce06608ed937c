"""Clones by the API: asked for, followed, given up, and seen only by whoever asked and administrators."""

import pytest
from django.contrib.auth.models import Permission

from projects.models import Clone, Event
from projects.services.clones import MOST_OPEN
from projects.states import CloneState

URL = "https://git.example.com/team/site.git"


@pytest.fixture
def asked(cast):
    """A clone that somebody asked for who may make projects and is no administrator."""
    owner = cast.users["owner"]
    owner.user_permissions.add(Permission.objects.get(codename="add_project"))
    answer = cast.call("owner", "POST", "/api/clones", {"url": URL, "token": "s3cr3t", "cpu_limit": 2, "ensure": False})
    assert answer.status_code == 202, answer.content
    return answer.json()


def test_it_is_asked_for_and_answers_at_once(cast, asked):
    clone = Clone.objects.get()
    assert asked == {
        "id": clone.pk,
        "url": URL,
        "name": "site",
        "path": str(cast.host.roots / "site"),
        "state": "queued",
        "message": "",
        "output": "",
        "project": None,
        "actor": "owner",
        "created_at": asked["created_at"],
        "finished_at": None,
    }
    assert (clone.token, clone.ensure, clone.fields) == ("s3cr3t", False, {"cpu_limit": 2.0})
    assert "s3cr3t" not in str(list(Event.objects.values()))


@pytest.mark.parametrize(("name", "status"), [("owner", 200), ("administrator", 200), ("operator", 404), ("stranger", 404)])
def test_it_is_seen_by_whoever_asked_and_by_administrators(cast, asked, name, status):
    assert cast.call(name, "GET", f"/api/clones/{asked['id']}").status_code == status
    answer = cast.call(name, "POST", f"/api/clones/{asked['id']}/cancel")
    assert answer.status_code == (202 if status == 200 else 404)
    assert Clone.objects.get().state == (CloneState.CANCELLED if status == 200 else CloneState.QUEUED)
    if status == 200:
        assert (answer.json()["state"], answer.json()["message"]) == ("cancelled", f"{name} cancelled it before it began.")
        assert cast.call(name, "POST", f"/api/clones/{asked['id']}/cancel").status_code == 404  # it is over


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 422, "url"),
        ({"url": "file:///etc"}, 400, "https"),
        ({"url": "https://ann:secret@git.example.com/x.git"}, 400, "credentials in it"),
        ({"url": "git@git.example.com:x.git", "token": "abc"}, 400, "ssh"),
        ({"url": URL, "path": "/etc/x"}, 400, "workspace root"),
        ({"url": URL, "surprise": 1}, 422, "surprise"),
    ],
)
def test_what_cannot_be_cloned_is_refused_now(cast, body, status, told):
    answer = cast.call("administrator", "POST", "/api/clones", body)
    assert (answer.status_code, Clone.objects.count()) == (status, 0), answer.content
    assert told in answer.json()["detail"]


def test_a_fifth_at_once_waits(cast):
    for number in range(MOST_OPEN):
        assert cast.call("administrator", "POST", "/api/clones", {"url": f"https://git.example.com/{number}.git"}).status_code == 202
    assert cast.call("administrator", "POST", "/api/clones", {"url": URL}).status_code == 409
