"""A run's output, from its spool to our own stdout and stderr, byte for byte."""

import os
import sys
from typing import BinaryIO

from projects.models import CommandRun
from projects.services import spool
from projects.states import Stream


class OutputGone(Exception):
    """Nobody reads our output any more."""


class Copying:
    """Copies what is there and remembers how far it came."""

    def __init__(self, run: CommandRun) -> None:
        self.run = run
        self.offset = 0
        self.read_bytes = spool.READ_BYTES
        self.outputs: dict[int, BinaryIO] = {Stream.STDOUT: sys.stdout.buffer, Stream.STDERR: sys.stderr.buffer}
        self.muted = False

    def step(self) -> bool:
        """Copy the next piece; False when there is none now. Raises OutputGone."""
        data = spool.read_from(self.run, self.offset, self.read_bytes)
        frames, taken = spool.split_frames(data)
        if not taken and len(data) == self.read_bytes:
            self.read_bytes *= 2  # a frame larger than what was read
            return True
        self.offset += taken
        for stream, payload in frames:
            self._write(self.outputs[stream], payload)
        return taken > 0

    def mute(self) -> None:
        """The rest goes nowhere; Python's own flush at exit, too, must not fail."""
        if not self.muted:
            self.muted = True
            silence_stdout()

    def _write(self, output: BinaryIO, payload: bytes) -> None:
        if self.muted:
            return
        try:
            output.write(payload)
            output.flush()
        except OSError as error:  # a closed pipe, or a terminal that went away
            raise OutputGone from error


def silence_stdout() -> None:
    """What is still written there goes nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
