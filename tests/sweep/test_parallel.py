"""Many calls with one deadline."""

import threading
import time
from collections.abc import Callable
from functools import partial

from projects.engine.errors import Refused
from projects.services.sweep.parallel import within


def test_calls_that_hang_or_fail_are_left_out_and_hold_up_no_other(caplog):
    never = threading.Event()

    def broken():
        raise Refused("on purpose")

    calls: dict[object, Callable[[], object]] = {number: partial(int, number) for number in range(50)}
    calls |= {"hangs": never.wait, "fails": broken, "bug": lambda: 1 / 0}
    began = time.monotonic()
    found = within(0.5, calls)
    never.set()
    assert found == {number: number for number in range(50)}
    assert time.monotonic() - began < 10
    assert "sweep.late" in caplog.text
    assert "on purpose" in caplog.text


def test_it_returns_as_soon_as_all_have_answered():
    began = time.monotonic()
    assert within(60, {1: lambda: "a", 2: lambda: None}) == {1: "a", 2: None}
    assert within(60, {}) == {}
    assert time.monotonic() - began < 30
