"""The watcher's duties, each on its own."""

import threading

import pytest

from projects.engine.errors import EngineUnreachable
from projects.watcher import Duty, attempt
from tests.support import wait_until


@pytest.mark.django_db
@pytest.mark.parametrize("error", [EngineUnreachable("down"), ZeroDivisionError()])
def test_a_duty_that_fails_is_done_again_and_logged(error, caplog):
    stop, done = threading.Event(), threading.Event()
    calls = []

    def fail_once() -> None:
        calls.append(1)
        if len(calls) == 1:
            raise error
        done.set()

    duty = Duty("clumsy", 0.01, fail_once, threading.Event())
    thread = threading.Thread(target=duty.run, args=(stop,))
    thread.start()
    assert done.wait(5)
    stop.set()
    duty.wake.set()
    thread.join(5)
    assert not thread.is_alive()
    assert "clumsy" in caplog.text


def test_a_woken_duty_does_not_wait(db):
    stop = threading.Event()
    calls: list[int] = []
    duty = Duty("patient", 600, lambda: calls.append(1), threading.Event())
    thread = threading.Thread(target=duty.run, args=(stop,))
    thread.start()
    wait_until(lambda: len(calls) == 1)
    duty.wake.set()
    wait_until(lambda: len(calls) == 2)
    stop.set()
    duty.wake.set()
    thread.join(5)


def test_what_is_wrong_with_one_attempt_stays_there(db):
    attempt("broken", lambda: 1 / 0)
