"""An Engine that ends and comes back: what ran runs again, and a workspace that was swapped meanwhile is not worked in."""

import pytest

from tests.private_engine import IMAGE, PrivateEngine
from tests.sandbox import Sandbox
from tests.support import wait_until

pytestmark = pytest.mark.live
RECONCILE = "from projects.services.reconcile import reconcile; reconcile(actor=ACTOR)"
ENSURE = """
from projects.engine.errors import EngineError
from projects.services.errors import HubError
try:
    answer(lifecycle.ensure_container(project=Project.objects.get(), actor=ACTOR).status)
except (HubError, EngineError) as error:
    answer(f"{type(error).__name__}: {error}")
"""
WATCH = "from projects.watcher import Watcher; Watcher().run()"
KINDS = "answer(list(Event.objects.order_by('id').values_list('kind', 'actor_name')))"
ROW = "p = Project.objects.get(); answer([p.status, p.wanted, p.docker_id])"


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    mine = PrivateEngine(tmp_path_factory.mktemp("engine"))
    try:
        mine.start()
        mine.take_image()
        yield mine
    finally:
        mine.stop()


@pytest.fixture
def box(engine, tmp_path):
    """A hub of its own on that Engine, with one running container."""
    mine = Sandbox(tmp_path, docker_host=engine.host)
    mine.migrate()
    mine.add_project("demo", image=IMAGE)
    assert mine.python(ENSURE) == "running"
    yield mine
    with engine.client() as client:
        for container in client.containers.list(all=True):
            container.remove(force=True)


def the_container(engine, box):
    with engine.client() as client:
        return client.containers.get(f"{box.prefix}-demo")


def test_what_ran_before_an_engine_restart_runs_again_and_nothing_else_is_made(engine, box):
    before = the_container(engine, box).id
    engine.stop()
    assert box.python(ENSURE).startswith("EngineUnreachable: ")
    assert box.python(ROW)[1:] == ["running", before]
    engine.start()
    wait_until(lambda: the_container(engine, box).status == "running", 30, reason="the Engine starts it again")
    assert box.python(ENSURE) == "running"
    box.python(RECONCILE)
    assert box.python(ROW) == ["running", "running", before]


def test_the_watcher_tells_that_the_engine_was_restarted(engine, box):
    watcher = box.start(WATCH)
    try:
        wait_until(lambda: box.python("answer(Heartbeat.objects.filter(beat_at__isnull=False).exists())"), 60, reason="it watches")
        engine.stop()
        wait_until(lambda: ["engine.lost", "watcher"] in box.python(KINDS), 60, reason="the Engine is seen to be lost")
        assert box.python(ROW)[0] == "unknown"
        engine.start()
        wait_until(lambda: ["engine.restarted", "outside"] in box.python(KINDS), 60, reason=lambda: str(box.python(KINDS)))
        assert box.python(ROW)[0] == "running"
    finally:
        watcher.kill()
        watcher.communicate()
    told = box.python(KINDS)
    kinds = [kind for kind, _ in told[told.index(["engine.lost", "watcher"]) :]]
    assert kinds == ["engine.lost", "engine.back", "container.restarted", "engine.restarted"]


def test_a_workspace_that_was_swapped_before_an_engine_restart_is_not_worked_in(engine, box):
    """The Engine itself mounts what the path leads to by then: the hub stops the container as soon as it looks."""
    (box.roots / "demo").rename(box.roots / "aside")
    (box.roots / "demo").symlink_to("/")
    engine.stop()
    engine.start()
    wait_until(lambda: the_container(engine, box).status == "running", 30, reason="the Engine starts it again")
    refused = box.python(ENSURE)
    assert refused.startswith("Unready: The workspace "), refused
    box.python(RECONCILE)
    assert the_container(engine, box).status == "exited"
    (box.roots / "demo").unlink()
    (box.roots / "aside").rename(box.roots / "demo")
    assert box.python(ENSURE) == "running"
    (mount,) = [m for m in the_container(engine, box).attrs["Mounts"] if m["Destination"] == "/workspace"]
    assert mount["Source"] == str(box.roots / "demo")
