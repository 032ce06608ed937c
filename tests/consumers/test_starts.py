"""Terminals whose program begins late, or is never heard of: no key is lost, and nobody looks at an empty screen for ever."""

import asyncio
import shlex
from contextlib import contextmanager

import pytest

from tests.consumers.talk import connect, said, until
from tests.support import wait_until

pytestmark = pytest.mark.live

PLACE = "web/terminal/?typist=a-page-of-the-tests&session="
LATE = """#!/bin/sh
case "$*" in *new-session*) sleep 2;; esac
exec /usr/bin/tmux "$@"
"""
MUTE_ONCE = """#!/bin/sh
case "$*" in *new-session*) mkdir /tmp/was-mute 2>/dev/null && exec sleep 4343;; esac
exec /usr/bin/tmux "$@"
"""


@contextmanager
def instead_of_tmux(hub, script):
    container, path = container_of(hub), "/usr/local/bin/tmux"
    made = container.exec_run(["sh", "-c", f"printf %s {shlex.quote(script)} >{path} && chmod 755 {path}"], user="root")
    assert made.exit_code == 0, made.output
    yield
    assert container.exec_run(["rm", path], user="root").exit_code == 0


def container_of(hub):
    return next(found for found in hub.box.containers() if found.name.endswith("-web"))


async def test_no_key_is_lost_when_the_socket_breaks_before_the_program_is_there(hub):
    keys = b"echo on''ce\r"
    with instead_of_tmux(hub, LATE):
        async with connect(hub, PLACE + "late-1") as first:
            await first.send(keys)
            await asyncio.sleep(1)  # the program is on its way
        async with connect(hub, PLACE + "late-1") as second:
            await second.send(keys[(await said(second, "taken"))["bytes"] :])
            assert b"onceecho" not in await until(second, b"once")


async def test_a_key_to_interrupt_does_not_end_a_program_that_is_not_there_yet(hub):
    with instead_of_tmux(hub, LATE):
        async with connect(hub, PLACE + "late-2") as socket:
            await socket.send(b"\x03")
            await until(socket, b"$ ")
            await socket.send(b"echo al''ive\r")
            await until(socket, b"alive")


async def test_a_program_that_is_not_heard_of_is_ended_and_begun_anew(hub):
    with instead_of_tmux(hub, MUTE_ONCE):
        async with connect(hub, PLACE + "mute") as socket:
            await socket.send(b"echo al''ive\r")
            await until(socket, b"alive")
    wait_until(lambda: b"sleep 4343" not in container_of(hub).exec_run(["ps", "-eo", "args"]).output, 30)
    assert container_of(hub).exec_run(["rmdir", "/tmp/was-mute"]).exit_code == 0  # it was asked for
