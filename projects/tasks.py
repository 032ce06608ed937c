"""What the worker runs: one-liners that call a service."""

from projects.services import clones, sweep
from projects.services.batches import do_item
from projects.services.heartbeats import beat
from projects.services.housekeeping import each_minute
from projects.services.notifications import send_due


def tick() -> None:
    each_minute()


def carry_out(decision_id: int) -> None:
    sweep.carry_out(decision_id)


def measure_layers() -> None:
    sweep.measure_layers()


def canary() -> None:
    beat("worker")


def do_batch_item(item_id: int) -> None:
    do_item(item_id)


def send_notifications() -> None:
    send_due()


def do_clone(clone_id: int) -> None:
    clones.do_clone(clone_id)
