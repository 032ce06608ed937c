"""The websockets of DESIGN 4: one module for each, on one base that admits, refuses, watches and cleans up."""

from projects.consumers.commands import CommandsConsumer
from projects.consumers.terminal import TerminalConsumer

__all__ = ["CommandsConsumer", "TerminalConsumer"]
