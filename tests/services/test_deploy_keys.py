"""A project's deploy key: made, shown by its public half, rotated and removed."""

import os
import subprocess

import pytest
from django.db import connection

from projects.models import DeployKey, Event
from projects.services.credentials.lent import DEPLOY_KEY, keep_lent, secret_values
from projects.services.deploy_keys import get_deploy_key, make_deploy_key, remove_deploy_key, rotate_deploy_key
from projects.services.errors import NotFound, Taken
from projects.services.record import Actor
from tests.services.host import make_host, owned

pytestmark = pytest.mark.django_db
ANN = Actor(name="ann")


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    return make_host(tmp_path, settings, monkeypatch)


def test_openssh_itself_finds_both_halves_and_the_fingerprint_right(host, monkeypatch):
    monkeypatch.setenv("PATH", os.defpath)
    row = make_deploy_key(project=host.project(), actor=ANN)
    file = host.write("key", row.private_key)
    public = subprocess.run(["ssh-keygen", "-y", "-f", file], check=True, capture_output=True, text=True).stdout
    assert row.public_key.split()[:2] == public.split()[:2]
    assert row.public_key.endswith(" containerhub:web")
    shown = subprocess.run(["ssh-keygen", "-l", "-f", file], check=True, capture_output=True, text=True).stdout
    assert shown.split()[1] == row.fingerprint
    assert shown.rstrip().endswith("(ED25519)")


def test_the_private_half_stands_encrypted_and_in_no_event(host):
    project = host.project()
    private = make_deploy_key(project=project, actor=ANN).private_key
    private += rotate_deploy_key(project=project, actor=ANN).private_key
    remove_deploy_key(project=project, actor=ANN)
    make_deploy_key(project=project, actor=ANN)
    with connection.cursor() as cursor:
        cursor.execute("SELECT private_key FROM projects_deploykey")
        assert "PRIVATE KEY" not in cursor.fetchone()[0]
    told = "".join(f"{event.message}{event.details}" for event in Event.objects.all())
    assert not any(line in told for line in private.splitlines() if len(line) > 5)
    kinds = Event.objects.order_by("id").values_list("kind", flat=True)
    assert list(kinds) == ["deploy_key.made", "deploy_key.rotated", "deploy_key.removed", "deploy_key.made"]


def test_there_is_one_and_a_second_is_refused(host):
    project = host.project()
    first = make_deploy_key(project=project, actor=ANN)
    with pytest.raises(Taken, match="rotate"):
        make_deploy_key(project=project, actor=ANN)
    assert DeployKey.objects.get().fingerprint == first.fingerprint
    assert Event.objects.filter(kind="deploy_key.made").count() == 1


@pytest.mark.parametrize("use_case", [get_deploy_key, remove_deploy_key, rotate_deploy_key])
def test_where_there_is_none_a_sentence_says_so(host, use_case):
    more = {} if use_case is get_deploy_key else {"actor": ANN}
    with pytest.raises(NotFound, match="has no deploy key"):
        use_case(project=host.project(), **more)
    assert not Event.objects.exists()


def test_a_running_container_sees_it_come_change_and_go(host):
    project = host.project()
    keep_lent(project, uid=1000, gid=1000)
    file = host.data / "lent/web/git" / DEPLOY_KEY
    first = make_deploy_key(project=project, actor=ANN)
    assert file.read_text() == first.private_key
    assert owned(file) == (1000, 1000, 0o400)
    second = rotate_deploy_key(project=project, actor=ANN)
    assert file.read_text() == second.private_key != first.private_key
    remove_deploy_key(project=project, actor=ANN)
    assert not file.exists()


def test_every_line_of_it_is_masked_in_stored_output(host):
    project = host.project()
    body = make_deploy_key(project=project, actor=ANN).private_key.splitlines()[1:-1]
    assert set(body) <= set(secret_values(project))
