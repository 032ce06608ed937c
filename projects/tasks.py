"""What the worker runs: one-liners that call a service."""

from projects.services.batches import do_item
from projects.services.heartbeats import beat
from projects.services.housekeeping import keep_house


def tick() -> None:
    keep_house()


def canary() -> None:
    beat("worker")


def do_batch_item(item_id: int) -> None:
    do_item(item_id)
