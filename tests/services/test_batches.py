"""Batches: what is queued, done once, refused, mended after a worker's death, and told."""

import threading
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone
from django_q.models import OrmQ

from projects.models import Batch, BatchItem, CommandRun, Event, Membership, Project
from projects.services import commands
from projects.services.batches import do_item, mend_batches, prune_batches, start_batch, wait_for_batch
from projects.services.batches.perform import ActionFailed, _keep, told_result
from projects.services.errors import BadInput
from projects.services.heartbeats import worker_lives
from projects.services.record import HUB, Actor
from projects.states import BatchAction, ItemState, Role, RunState
from projects.tasks import do_batch_item
from tests.cast import cast, fake_engine, pages

__all__ = ["cast", "fake_engine", "pages"]


@pytest.fixture
def engine(fake_engine, monkeypatch):
    monkeypatch.setattr(commands, "run_setup", lambda project, row: None)  # its thread would not see the test's transaction
    return fake_engine


def begin(cast, action=BatchAction.ENSURE, name="operator", projects=None, **details) -> Batch:
    return start_batch(projects=projects or [cast.project], action=action, actor=Actor.of(cast.users[name]), **details)


def only(batch: Batch) -> BatchItem:
    return batch.items.get()


def left_by_a_dead_worker(batch: Batch, *, attempts=1, **fields) -> BatchItem:
    batch.items.update(
        state=ItemState.RUNNING, claim_token="a" * 32, claimed_at=timezone.now() - timedelta(seconds=61), attempts=attempts, **fields
    )
    OrmQ.objects.all().delete()
    return only(batch)


def test_rows_event_and_one_task_for_each_item_are_saved_together(cast, engine):
    others = [cast.host.project(slug) for slug in ("zoo", "blog")]
    batch = begin(cast, name="administrator", projects=[cast.project, *others])
    assert [(item.position, item.project_slug, item.state) for item in batch.items.all()] == [
        (0, "web", "queued"),
        (1, "zoo", "queued"),
        (2, "blog", "queued"),
    ]
    assert [tuple(row.task["args"]) for row in OrmQ.objects.order_by("pk")] == [(item.pk,) for item in batch.items.all()]
    assert Event.objects.get(kind="batch.started").details == {"batch": batch.pk, "action": "ensure", "projects": ["web", "zoo", "blog"]}
    assert not engine.calls
    assert not wait_for_batch(batch=batch, seconds=0)


def test_a_task_that_comes_twice_does_it_once(cast, engine):
    item = only(begin(cast, BatchAction.ENSURE))
    do_batch_item(item.pk)
    calls = list(engine.calls)
    do_batch_item(item.pk)
    do_item(999_999)
    assert engine.calls == calls
    item.refresh_from_db()
    assert (item.state, item.attempts, item.claim_token) == ("done", 1, "")
    assert Event.objects.filter(kind="batch.finished").count() == 1
    assert wait_for_batch(batch=item.batch, seconds=0)


def test_an_item_that_somebody_works_on_is_left_to_him(cast, engine):
    item = only(begin(cast))
    BatchItem.objects.filter(pk=item.pk).update(state=ItemState.RUNNING, claim_token="x", claimed_at=timezone.now())
    do_item(item.pk)
    assert mend_batches() == 0
    assert not engine.calls


@pytest.mark.django_db(transaction=True)  # it opens and closes connections, as a thread does
def test_a_long_item_renews_its_claim_and_is_a_sign_of_life_of_the_worker(cast, engine):
    item = only(begin(cast))
    long_ago = timezone.now() - timedelta(seconds=50)
    BatchItem.objects.filter(pk=item.pk).update(state=ItemState.RUNNING, claim_token="mine", claimed_at=long_ago)

    class TwoRounds(threading.Event):
        rounds = 0

        def wait(self, timeout=None):
            self.rounds += 1
            return self.rounds > 2

    _keep(item.pk, "mine", TwoRounds())
    item.refresh_from_db()
    assert item.claimed_at is not None
    assert item.claimed_at > long_ago
    assert worker_lives()
    overtaken = TwoRounds()
    _keep(item.pk, "another's", overtaken)
    assert overtaken.rounds == 1


def test_who_may_is_asked_again_when_it_is_done(cast, engine):
    item = only(begin(cast))
    Membership.objects.filter(user=cast.users["operator"]).update(role=Role.VIEWER)
    do_item(item.pk)
    item.refresh_from_db()
    assert (item.state, "operator role" in item.message) == ("failed", True)
    assert not engine.boxes


@pytest.mark.parametrize("gone", ["project", "account", "sign-in"])
def test_what_was_removed_meanwhile_is_said(cast, engine, gone):
    item = only(begin(cast))
    if gone == "project":
        Project.objects.all().delete()
    elif gone == "account":
        get_user_model().objects.filter(username="operator").delete()
    else:
        get_user_model().objects.filter(username="operator").update(is_active=False)
    do_item(item.pk)
    item.refresh_from_db()
    assert item.state == "failed"
    assert "no such project" in item.message if gone == "sign-in" else "removed meanwhile" in item.message
    assert item.batch.actor_name == "operator"
    assert not engine.boxes


def test_a_batch_of_refusals_is_through_at_once(cast, engine):
    batch = begin(cast, name="viewer")
    assert only(batch).state == "failed"
    assert Batch.objects.get().finished_at is not None
    assert not OrmQ.objects.exists()


def test_an_engine_that_is_away_is_each_items_own_sentence(cast, engine):
    engine.down = True
    item = only(begin(cast))
    do_item(item.pk)
    item.refresh_from_db()
    assert (item.state, item.message.endswith(".")) == ("failed", True)


def test_a_fault_of_ours_is_told_and_shown_to_django_q(cast, engine, monkeypatch):
    item = only(begin(cast))
    engine.before_call = lambda name, args: 1 / 0
    with pytest.raises(ZeroDivisionError):
        do_item(item.pk)
    item.refresh_from_db()
    assert (item.state, "inside the hub" in item.message) == ("failed", True)


def test_a_batch_has_a_user_and_projects(cast, engine):
    with pytest.raises(BadInput):
        start_batch(projects=[cast.project], action=BatchAction.ENSURE, actor=HUB)
    with pytest.raises(BadInput):
        start_batch(projects=[], action=BatchAction.ENSURE, actor=Actor.of(cast.users["owner"]))
    assert not Batch.objects.exists()


@pytest.mark.parametrize("details", [{"command": ""}, {"command": "x", "workdir": "x"}, {"command": "x", "timeout_seconds": 901}])
def test_a_bad_command_makes_no_batch(cast, engine, details):
    with pytest.raises(BadInput):
        begin(cast, BatchAction.RUN_COMMAND, **details)
    assert not Batch.objects.exists()


# -- a worker that died ---------------------------------------------------------------------


@pytest.mark.parametrize("action", [BatchAction.ENSURE, BatchAction.STOP, BatchAction.CHECK_HEALTH, BatchAction.REMOVE_CONTAINER])
def test_what_can_be_done_twice_is_done_again(cast, engine, action):
    item = left_by_a_dead_worker(begin(cast, action))
    assert mend_batches() == 1
    item.refresh_from_db()
    assert item.state == "queued"
    assert [tuple(row.task["args"]) for row in OrmQ.objects.all()] == [(item.pk,)]


def test_what_kills_its_worker_three_times_is_given_up(cast, engine):
    item = left_by_a_dead_worker(begin(cast), attempts=3)
    assert mend_batches() == 1
    item.refresh_from_db()
    assert (item.state, "look at the project" in item.message) == ("failed", True)
    assert Batch.objects.get().finished_at is not None


@pytest.mark.parametrize("action", [BatchAction.REFRESH, BatchAction.RESTART])
def test_what_may_end_somebodys_work_is_not_done_again(cast, engine, action):
    item = left_by_a_dead_worker(begin(cast, action))
    assert mend_batches() == 1
    item.refresh_from_db()
    assert item.state == "failed"
    assert not OrmQ.objects.exists()


@pytest.mark.parametrize(
    ("state", "exit_code", "told"),
    [(RunState.FINISHED, 0, "done"), (RunState.FINISHED, 3, "failed"), (RunState.INTERRUPTED, None, "failed")],
)
def test_a_command_is_never_run_again_but_told_by_its_run(cast, engine, state, exit_code, told):
    batch = begin(cast, BatchAction.RUN_COMMAND, command="make")
    run = CommandRun.objects.create(project=cast.project, command="make", timeout_seconds=9, actor_name="operator")
    item = left_by_a_dead_worker(batch, run=run)
    assert mend_batches() == 0  # it runs, as far as is known
    CommandRun.objects.update(state=state, exit_code=exit_code, finished_at=timezone.now(), message="It was cut off.")
    assert mend_batches() == 1
    item.refresh_from_db()
    assert item.state == told


def test_the_end_of_a_worker_that_was_overtaken_counts_no_more(cast, engine):
    item = only(begin(cast))

    def overtaken(name, args):
        BatchItem.objects.filter(pk=item.pk).update(claim_token="another")

    engine.before_call = overtaken
    do_item(item.pk)
    item.refresh_from_db()
    assert (item.state, item.claim_token) == ("running", "another")


def test_items_that_a_dead_worker_had_only_taken_are_queued_again(cast, engine):
    batch = begin(cast)
    OrmQ.objects.all().delete()
    assert mend_batches() == 0  # too young: they may be on their way
    Batch.objects.update(created_at=timezone.now() - timedelta(minutes=3))
    assert mend_batches() == 1
    assert OrmQ.objects.count() == 1
    assert mend_batches() == 0
    assert only(batch).state == "queued"


def test_old_batches_go_and_their_events_stay(cast, engine):
    old, open_still = begin(cast, name="viewer"), begin(cast)
    Batch.objects.update(created_at=timezone.now() - timedelta(days=31))
    Batch.objects.filter(pk=old.pk).update(finished_at=timezone.now() - timedelta(days=31))
    assert prune_batches() == 1
    assert Batch.objects.get() == open_still
    assert Event.objects.filter(kind="batch.started").count() == 2


# -- words and constraints ------------------------------------------------------------------


@pytest.mark.parametrize("state", [state for state in RunState if state not in (RunState.RUNNING, RunState.FINISHED)])
def test_a_command_that_did_not_end_by_itself_is_a_failure_with_a_sentence(cast, state):
    run = CommandRun(project=cast.project, command="x", timeout_seconds=1, state=state, finished_at=timezone.now())
    with pytest.raises(ActionFailed, match=r"\.$"):
        told_result(commands.result_of(run))


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "lost"},
        {"state": "done"},
        {"state": "running"},
        {"state": "queued", "finished_at": timezone.now()},
        {"state": "queued", "claim_token": "x"},
        {"position": 1},
    ],
)
def test_the_database_keeps_items_whole(cast, engine, fields):
    batch = begin(cast, name="administrator", projects=[cast.project, cast.host.project("zoo")])
    with pytest.raises(IntegrityError), transaction.atomic():
        batch.items.filter(position=0).update(**fields)
    with pytest.raises(IntegrityError), transaction.atomic():
        Batch.objects.update(action="explode")
