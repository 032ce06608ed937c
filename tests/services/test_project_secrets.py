"""Secrets of a project: set, listed by name, and part of every command's environment."""

import pytest
from django.db import IntegrityError, connection, transaction

from projects.models import Event, ProjectSecret
from projects.services.credentials import exec_environment, secret_values
from projects.services.errors import BadInput, NotFound
from projects.services.git_credentials import set_git_credential
from projects.services.project_secrets import SECRETS_LIMIT, list_secrets, remove_secret, set_secret
from projects.services.record import Actor
from tests.services.host import make_host

pytestmark = pytest.mark.django_db
ANN = Actor(name="ann")


@pytest.fixture
def project(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch).project()


def test_a_secret_is_kept_encrypted_and_recorded_by_its_name(project):
    set_secret(project=project, name="API_KEY", value="s3cr3t-value", actor=ANN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT value FROM projects_projectsecret")
        assert "s3cr3t" not in cursor.fetchone()[0]
    event = Event.objects.get()
    assert (event.kind, event.actor_name, event.details) == ("secret.set", "ann", {"name": "API_KEY"})
    assert "s3cr3t" not in event.message


def test_setting_it_again_replaces_it_and_keeps_when_it_was_made(project):
    first = set_secret(project=project, name="API_KEY", value="first-value", actor=ANN)
    second = set_secret(project=project, name="API_KEY", value="other-value", actor=ANN)
    assert ProjectSecret.objects.get().value == "other-value"
    assert (second.pk, second.created_at) == (first.pk, first.created_at)
    assert second.updated_at > first.updated_at


def test_a_list_reads_no_value(project):
    for name in ("B_KEY", "A_KEY"):
        set_secret(project=project, name=name, value="s3cr3t-value", actor=ANN)
    found = list_secrets(project=project)
    assert [row.name for row in found] == ["A_KEY", "B_KEY"]
    assert "value" in found[0].get_deferred_fields()


@pytest.mark.parametrize(
    "name",
    [
        *("", "1A", "A B", "A-B", "A=B", "Ä", "A\n", "A" * 101, 7, None),
        *("PATH", "HOME", "BASH_ENV", "LD_PRELOAD", "IFS", "TMUX", "SHELLOPTS", "BASH_FUNC_ls%%"),
        *("CONTAINERHUB_EXEC_ID", "CONTAINERHUB_X", "CLAUDE_CONFIG_DIR", "GIT_ASKPASS"),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_a_sentence(project, name):
    with pytest.raises(BadInput, match=r"[a-z]{3}.*\.$"):
        set_secret(project=project, name=name, value="s3cr3t-value", actor=ANN)
    assert not ProjectSecret.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 32_769, "\ud800", 1234567, None])
def test_a_value_that_cannot_be_is_refused_and_never_repeated(project, value):
    with pytest.raises(BadInput) as refused:
        set_secret(project=project, name="API_KEY", value=value, actor=ANN)
    assert not value or str(value) not in str(refused.value)


def test_there_is_a_limit_and_replacing_at_the_limit_goes(project):
    rows = [ProjectSecret(project=project, name=f"KEY_{number}", value="x", set_by_name="x") for number in range(SECRETS_LIMIT)]
    ProjectSecret.objects.bulk_create(rows)
    with pytest.raises(BadInput, match="at most"):
        set_secret(project=project, name="ONE_MORE", value="s3cr3t-value", actor=ANN)
    set_secret(project=project, name="KEY_1", value="s3cr3t-value", actor=ANN)


def test_removing_it_takes_it_from_the_next_command(project):
    set_secret(project=project, name="API_KEY", value="s3cr3t-value", actor=ANN)
    assert exec_environment(project) == {"API_KEY": "s3cr3t-value"}
    remove_secret(project=project, name="API_KEY", actor=ANN)
    assert exec_environment(project) == {}
    with pytest.raises(NotFound):
        remove_secret(project=project, name="API_KEY", actor=ANN)
    assert Event.objects.filter(kind="secret.removed").count() == 1


def test_a_secret_of_ones_own_goes_before_the_projects_token_for_github(project):
    set_git_credential(project=project, host="github.com", token="the-token", actor=ANN)
    assert exec_environment(project) == {"GITHUB_TOKEN": "the-token"}
    set_secret(project=project, name="GITHUB_TOKEN", value="my-own-one", actor=ANN)
    assert exec_environment(project) == {"GITHUB_TOKEN": "my-own-one"}


def test_it_is_masked_whole_by_its_lines_and_in_base64(project):
    set_secret(project=project, name="PEM", value="first line\nsecond line", actor=ANN)
    assert {"first line\nsecond line", "first line", "second line", "Zmlyc3QgbGluZQpzZWNvbmQgbGluZQ=="} <= set(secret_values(project))


@pytest.mark.parametrize("fields", [{"name": "1A", "value": "x"}, {"name": "A", "value": ""}])
def test_the_database_itself_refuses_what_cannot_be(project, fields):
    with pytest.raises(IntegrityError), transaction.atomic():
        ProjectSecret.objects.create(project=project, set_by_name="x", **fields)
