"""A program that prints numbered lines at an even pace in a terminal, and what arrived of them."""

import re

A_SECOND = 50
END = b"-all-printed"
PROGRAM = f"""\
import sys, time
name, count = sys.argv[1], int(sys.argv[2])
began = time.monotonic()
for number in range(count):
    time.sleep(max(0, began + number / {A_SECOND} - time.monotonic()))
    print(f"line-{{name}}-{{number:05d}}-abcdefghijklmnopqrstuvwxyz", flush=True)
print(name + "{END.decode()}", flush=True)
"""
_LINE = re.compile(rb"line-(\w+)-(\d{5})-abcdefghijklmnopqrstuvwxyz")


def expected(name: str, count: int) -> bytes:
    """As a terminal shows it, to the byte."""
    lines = b"".join(_line(name, number) + b"\r\n" for number in range(count))
    return lines + name.encode() + END + b"\r\n"


def first_line(name: str) -> bytes:
    return _line(name, 0)


def missing(name: str, count: int, output: bytes) -> set[int]:
    """The numbers of those lines that stand nowhere in the output. Raises AssertionError for a line of another's."""
    found = _LINE.findall(output)
    if strangers := {owner for owner, _ in found} - {name.encode()}:
        raise AssertionError(f"The terminal {name} got lines of {strangers}.")
    return set(range(count)) - {int(number) for _, number in found}


def _line(name: str, number: int) -> bytes:
    return f"line-{name}-{number:05d}-abcdefghijklmnopqrstuvwxyz".encode()
