"""A queue may deliver a task twice, at once or one after the other: each task has one effect."""

import pytest

from projects import tasks
from projects.models import BatchItem, Channel, Clone, Decision, Delivery, Event, HealthMemory, Heartbeat, Sample
from projects.services import clones
from projects.services.batches import start_batch
from projects.services.errors import BadInput
from projects.services.notifications import mail, queue_events
from projects.services.notifications.outcome import Outcome
from projects.services.record import HUB, Actor, record
from projects.states import BatchAction, ChannelKind, CloneState, DeliveryState, Topic
from tests.sweep.test_sweep import OLD


def tick(fleet, **_):
    fleet.project()
    tasks.tick()
    tasks.tick()
    return [Sample.objects.count(), Decision.objects.count()], [1, 1]


def carry_out(fleet, **_):
    fleet.project()
    fleet.hold_back = True
    (act,) = fleet.at(OLD).acts
    Decision.objects.filter(pk=act).update(at=fleet.began)  # the task goes by the real clock
    tasks.carry_out(act)
    tasks.carry_out(act)
    return [fleet.engine.calls.count("containers.create"), Event.objects.filter(kind="container.refreshed").count()], [2, 1]


def measure_layers(fleet, **_):
    web = fleet.project()
    asked = fleet.engine.calls.count("containers.layer_bytes")
    tasks.measure_layers()
    tasks.measure_layers()
    return [fleet.engine.calls.count("containers.layer_bytes") - asked, HealthMemory.objects.get(project=web).layer_of], [1, web.docker_id]


def canary(**_):
    tasks.canary()
    tasks.canary()
    return [Heartbeat.objects.filter(role="worker").count()], [1]


def do_batch_item(fleet, user, **_):
    web = fleet.project()
    batch = start_batch(projects=[web], action=BatchAction.REFRESH, actor=Actor.of(user))
    item = BatchItem.objects.get(batch=batch)
    tasks.do_batch_item(item.pk)
    tasks.do_batch_item(item.pk)
    return [fleet.engine.calls.count("containers.create"), BatchItem.objects.get().attempts], [2, 1]


def send_notifications(monkeypatch, **_):
    sent = []

    def accepted(channel, rows):
        sent.append(len(rows))
        return Outcome(delivered=True)

    monkeypatch.setattr(mail, "send", accepted)
    Channel.objects.create(name="ops", kind=ChannelKind.EMAIL, target="ops@example.com", wants=[str(topic) for topic in Topic])
    record("health.hold", actor=HUB, slug="web", message="Left to people.")
    queue_events()
    tasks.send_notifications()
    tasks.send_notifications()
    return [sent, Delivery.objects.get().state], [[1], DeliveryState.DELIVERED]


def do_clone(user, monkeypatch, **_):
    made = []

    def clone_once(**given):
        made.append(given)
        raise BadInput("It is not there, on purpose.")

    monkeypatch.setattr(clones, "clone_project", clone_once)
    clone = Clone.objects.create(url="https://git.example.com/a.git", name="a", path="/x/a", actor=user, actor_name=user.username)
    tasks.do_clone(clone.pk)
    tasks.do_clone(clone.pk)
    ends = Event.objects.filter(kind__startswith="clone.").count()
    return [len(made), ends, Clone.objects.get().state], [1, 1, CloneState.FAILED]


# Each: what was found, and what is expected.
CASES = (tick, carry_out, measure_layers, canary, do_batch_item, send_notifications, do_clone)


@pytest.mark.parametrize("case", CASES)
def test_a_task_that_is_delivered_twice_has_one_effect(case, fleet, admin_user, monkeypatch):
    found, expected = case(fleet=fleet, user=admin_user, monkeypatch=monkeypatch)
    assert found == expected


def test_no_task_is_left_out():
    ours = {name for name, thing in vars(tasks).items() if callable(thing) and getattr(thing, "__module__", "") == tasks.__name__}
    assert ours == {case.__name__ for case in CASES}
