"""Deploy keys and secrets in the admin: made, rotated and removed by owners; what is secret is never shown."""

import pytest
from django.test import Client
from django.urls import reverse

from projects.models import DeployKey, GitCredential, ProjectSecret


def enter(cast, name) -> Client:
    client = Client()
    client.force_login(cast.users[name], backend="django.contrib.auth.backends.ModelBackend")
    return client


def place(model, page="changelist", *args) -> str:
    return reverse(f"admin:projects_{model._meta.model_name}_{page}", args=args)


def told(response) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def test_an_owner_makes_a_key_and_is_shown_its_public_half(staff):
    client = enter(staff, "owner")
    answer = client.post(place(DeployKey, "add"), {"project": staff.project.pk}, follow=True)
    row = DeployKey.objects.get()
    assert row.public_key in told(answer)
    page = client.get(place(DeployKey, "change", row.pk)).content.decode()
    assert row.public_key in page
    assert "PRIVATE KEY" not in page
    again = client.post(place(DeployKey, "add"), {"project": staff.project.pk}, follow=True)
    assert again.status_code == 200
    assert DeployKey.objects.count() == 1


def test_a_rotation_asks_first_and_a_get_changes_nothing(staff):
    client = enter(staff, "owner")
    client.post(place(DeployKey, "add"), {"project": staff.project.pk})
    row = DeployKey.objects.get()
    client.get(place(DeployKey), {"action": "rotate", "_selected_action": str(row.pk), "confirmed": "yes"})
    asked = client.post(place(DeployKey), {"action": "rotate", "_selected_action": [row.pk]})
    assert "is lost" in asked.content.decode()
    assert DeployKey.objects.get().fingerprint == row.fingerprint
    answer = client.post(place(DeployKey), {"action": "rotate", "_selected_action": [row.pk], "confirmed": "yes"}, follow=True)
    new = DeployKey.objects.get()
    assert new.fingerprint != row.fingerprint
    assert new.public_key in told(answer)


@pytest.mark.parametrize("name", ["operator", "viewer", "stranger"])
def test_who_owns_nothing_makes_rotates_and_removes_nothing(staff, name):
    enter(staff, "owner").post(place(DeployKey, "add"), {"project": staff.project.pk})
    row = DeployKey.objects.get()
    client = enter(staff, name)
    assert client.post(place(DeployKey, "add"), {"project": staff.project.pk}).status_code == 403
    client.post(place(DeployKey), {"action": "rotate", "_selected_action": [row.pk], "confirmed": "yes"})
    removed = client.post(place(DeployKey, "delete", row.pk), {"post": "yes"})
    assert removed.status_code == (302 if name == "stranger" else 403)
    assert DeployKey.objects.get().fingerprint == row.fingerprint
    assert client.post(place(ProjectSecret, "add"), {"project": staff.project.pk, "name": "A", "value": "b"}).status_code == 403


def test_a_git_token_is_set_again_under_its_host(staff):
    for token in ("s3cr3t-first", "s3cr3t-other"):
        body = {"project": staff.project.pk, "host": "github.com", "username": "x", "token": token}
        assert enter(staff, "owner").post(place(GitCredential, "add"), body).status_code == 302
    assert GitCredential.objects.get().token == "s3cr3t-other"


def test_a_secret_is_set_set_again_and_never_shown(staff):
    client = enter(staff, "owner")
    for value in ("s3cr3t-first", "s3cr3t-other"):
        body = {"project": staff.project.pk, "name": "API_KEY", "value": value}
        assert client.post(place(ProjectSecret, "add"), body).status_code == 302
    row = ProjectSecret.objects.get()
    assert row.value == "s3cr3t-other"
    pages = client.get(place(ProjectSecret)).content + client.get(place(ProjectSecret, "change", row.pk)).content
    assert b"s3cr3t" not in pages
    refused = client.post(place(ProjectSecret, "add"), {"project": staff.project.pk, "name": "PATH", "value": "s3cr3t-path"})
    assert "set by the hub or the shell" in refused.content.decode()
    assert b"s3cr3t" not in refused.content
    assert client.post(place(ProjectSecret, "delete", row.pk), {"post": "yes"}).status_code == 302
    assert not ProjectSecret.objects.exists()
