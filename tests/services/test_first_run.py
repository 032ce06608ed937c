"""What a fresh hub gets, and what it never gets twice."""

import pytest
from django.contrib.auth import authenticate, get_user_model

from projects.models import Event, Project
from projects.services import commands, first_run, lifecycle
from projects.services.engines import use_engine
from projects.services.errors import Unready
from projects.services.record import HUB
from tests.engine.fake import FakeEngine
from tests.services.host import make_host, owned

pytestmark = pytest.mark.django_db


@pytest.fixture
def host(tmp_path, settings, monkeypatch):
    made = make_host(tmp_path, settings, monkeypatch)
    settings.DATA_DIR = made.data
    return made


@pytest.fixture
def engine(monkeypatch):
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    fake = FakeEngine()
    use_engine(fake)
    yield fake
    use_engine(None)


def test_the_first_administrator_gets_a_random_password_that_is_told_once(host):
    made = first_run.ensure_administrator()
    user = authenticate(username="admin", password=made.password)
    assert user is not None
    assert user.is_superuser
    again = first_run.ensure_administrator()
    assert (again.new, again.password) == (False, "")
    assert made.password not in str(list(Event.objects.values()))


def test_a_given_password_is_taken_and_not_told(host):
    host.configure(admin_username="chief", admin_password="correct horse battery")
    made = first_run.ensure_administrator()
    assert (made.username, made.password) == ("chief", "")
    assert authenticate(username="chief", password="correct horse battery")


def test_a_present_administrator_keeps_his_password(host):
    get_user_model().objects.create_superuser("boss", password="his own")
    host.configure(admin_password="another")
    assert first_run.ensure_administrator().username == "boss"
    assert authenticate(username="boss", password="his own")
    assert get_user_model().objects.count() == 1


def test_a_name_that_belongs_to_somebody_else_is_never_raised_to_administrator(host):
    get_user_model().objects.create_user("admin")
    with pytest.raises(Unready):
        first_run.ensure_administrator()
    assert not get_user_model().objects.get().is_superuser


def made_sample() -> Project:
    project = first_run.ensure_sample()
    assert project is not None
    return project


def test_the_sample_is_made_once_with_an_owner_and_a_running_container(host, engine):
    project = made_sample()
    assert engine.box(f"claude-dev-{project.slug}").status == "running"
    assert owned(host.roots / "sample") == (1000, 1000, 0o755)
    count = len(engine.boxes)
    assert first_run.ensure_sample() == project
    assert len(engine.boxes) == count


def test_a_stopped_sample_stays_stopped(host, engine):
    project = made_sample()
    lifecycle.stop_container(project=project, actor=HUB)
    first_run.ensure_sample()
    assert engine.box("claude-dev-sample").status == "exited"


def test_a_removed_sample_does_not_come_back(host, engine):
    lifecycle.remove_project(project=made_sample(), actor=HUB)
    assert first_run.ensure_sample() is None
    assert not Project.objects.exists()
    assert (host.roots / "sample").is_dir()


def test_a_start_that_was_killed_in_the_middle_is_finished_by_the_next(host, engine):
    class Killed(BaseException):
        pass

    def kill(name, _arguments):
        if name == "containers.start":
            raise Killed

    engine.before_call = kill
    with pytest.raises(Killed):
        first_run.ensure_sample()
    engine.before_call = None
    first_run.ensure_sample()
    assert engine.box("claude-dev-sample").status == "running"
