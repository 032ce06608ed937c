"""Setting, showing and removing git tokens."""

import os

import pytest
from django.db import connection

from projects.models import Event, GitCredential
from projects.services import credentials
from projects.services.credentials.lent import keep_lent
from projects.services.errors import BadInput, NotFound, Unready
from projects.services.git_credentials import checked_host, list_git_credentials, remove_git_credential, set_git_credential
from projects.services.record import Actor
from tests.services.host import make_host

pytestmark = pytest.mark.django_db
ANN = Actor(name="ann")


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


def test_a_token_is_kept_encrypted_and_recorded_without_itself(host):
    project = host.project()
    row = set_git_credential(project=project, host=" Git.Example.com ", token=" s3cret ", actor=ANN)
    assert (row.host, row.username, row.token) == ("git.example.com", "x-access-token", "s3cret")
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM projects_gitcredential")
        assert "s3cret" not in cursor.fetchone()[0]
    event = Event.objects.get(kind="git_credential.set")
    assert (event.actor_name, event.project_slug, event.details) == ("ann", "web", {"host": "git.example.com"})
    assert "s3cret" not in event.message


def test_a_second_token_for_a_host_replaces_the_first(host):
    project = host.project()
    set_git_credential(project=project, host="github.com", token="first1", actor=ANN)
    set_git_credential(project=project, host="github.com", token="second", username="bot", actor=ANN)
    assert [(row.username, row.token) for row in GitCredential.objects.all()] == [("bot", "second")]


def test_a_running_container_sees_it_come_change_and_go(host):
    project = host.project()
    keep_lent(project, uid=1000, gid=1000)
    place = host.data / "lent/web/git"
    set_git_credential(project=project, host="git.example.com:8443", token="first1", actor=ANN)
    assert (place / "git.example.com_8443").read_text() == "x-access-token\nfirst1\n"
    set_git_credential(project=project, host="git.example.com:8443", token="second", actor=ANN)
    assert (place / "git.example.com_8443").read_text() == "x-access-token\nsecond\n"
    remove_git_credential(project=project, host="git.example.com:8443", actor=ANN)
    assert os.listdir(place) == []
    assert Event.objects.filter(kind="git_credential.removed").count() == 1


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "https://github.com",
        "github.com/x",
        "a b",
        "..",
        ".a",
        "a.",
        "-a",
        "a:0",
        "a:65536",
        "a:x",
        "a:1:2",
        "x" * 241,
        "a\nb",
        "é.com",
        "*",
        None,
        5,
    ],
)
def test_a_bad_host_is_refused(host, name):
    with pytest.raises(BadInput):
        checked_host(name)


@pytest.mark.parametrize("name", ["github.com", "localhost", "127.0.0.1:8443", "a-b.example.com:443", "GITHUB.com\n"])
def test_a_good_host_is_taken(name):
    assert checked_host(name) == name.strip().lower()


@pytest.mark.parametrize("token", ["", "  ", "a\nb", "a\0b", "x" * 10_001, None, 5])
def test_a_bad_token_is_refused_and_nothing_is_kept(host, token):
    with pytest.raises(BadInput):
        set_git_credential(project=host.project(), host="github.com", token=token, actor=ANN)
    assert not GitCredential.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("username", ["", "a\nb", "x" * 101, None])
def test_a_bad_username_is_refused(host, username):
    with pytest.raises(BadInput):
        set_git_credential(project=host.project(), host="github.com", token="s3cret", username=username, actor=ANN)


def test_removing_what_is_not_there_is_told(host):
    with pytest.raises(NotFound, match=r"no git token for github\.com"):
        remove_git_credential(project=host.project(), host="github.com", actor=ANN)
    assert not Event.objects.exists()


def test_a_list_reads_no_token(host, django_assert_num_queries):
    project = host.project()
    set_git_credential(project=project, host="github.com", token="s3cret", actor=ANN)
    set_git_credential(project=host.project("other"), host="gitlab.com", token="s3cret", actor=ANN)
    with django_assert_num_queries(1) as queries:
        assert [row.host for row in list_git_credentials(project=project)] == ["github.com"]
    assert "token" not in queries.captured_queries[0]["sql"]


def test_a_full_disk_is_told_and_the_row_is_kept(host, monkeypatch):
    def full(_project):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(credentials, "update_lent", full)
    with pytest.raises(Unready, match="No space left"):
        set_git_credential(project=host.project(), host="github.com", token="s3cret", actor=ANN)
    assert GitCredential.objects.exists()
