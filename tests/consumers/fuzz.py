"""Messages that no socket may accept, made from a seed, and a client that sends them as raw as they are."""

import asyncio
import base64
import json
import os
import random
import struct
from collections.abc import Iterator
from dataclasses import dataclass

TEXT, BINARY = 1, 2
KNOWN = {"commands": ("run", "attach", "kill", "ack"), "terminal": ("resize", "ack")}
FIELDS = {"run": ("command",), "attach": ("run_id",), "ack": ("bytes",), "resize": ("cols", "rows")}
LARGEST_BYTES = 900_000


@dataclass(frozen=True)
class Malformed:
    """A message, as (opcode, payload, last frame of its message) frames."""

    frames: tuple[tuple[int, bytes, bool], ...]

    @classmethod
    def text(cls, content: "str | bytes") -> "Malformed":
        data = content if isinstance(content, bytes) else content.encode(errors="surrogatepass")
        return cls(((TEXT, data, True),))

    def split(self, rng: random.Random) -> "Malformed":
        """The same in frames of its own: the later ones are continuations."""
        ((opcode, data, _last),) = self.frames
        cuts = sorted(rng.randrange(len(data) + 1) for _ in range(rng.randint(1, 4)))
        parts = [data[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(data)], strict=True)]
        return Malformed(tuple((0 if index else opcode, part, index == len(parts) - 1) for index, part in enumerate(parts)))

    def wire(self, rng: random.Random) -> bytes:
        return b"".join(frame(*parts, mask=rng.randbytes(4)) for parts in self.frames)


def frame(opcode: int, data: bytes, last: bool, *, mask: bytes) -> bytes:
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else struct.pack(">BH", 0xFE, size) if size < 65536 else struct.pack(">BQ", 0xFF, size)
    long_mask = (mask * (size // 4 + 1))[:size]
    masked = (int.from_bytes(data, "big") ^ int.from_bytes(long_mask, "big")).to_bytes(size, "big")
    return bytes([(0x80 if last else 0) | opcode]) + length + mask + masked


def messages(kind: str, rng: random.Random) -> Iterator[Malformed]:
    """Endless. Each is malformed by the contract of that kind of socket, whatever its disguise."""
    makers = [no_json, no_object, unknown_type, wrong_field, missing_field, huge, deep, *([binary] if kind == "commands" else [])]
    while True:
        made = rng.choice(makers)(kind, rng)
        yield made.split(rng) if rng.random() < 0.2 else made


def no_json(kind: str, rng: random.Random) -> Malformed:
    whole = json.dumps({"type": rng.choice(KNOWN[kind]), "command": "touch /tmp/fuzzed", "run_id": "0", "bytes": 1, "cols": 9, "rows": 9})
    cut = whole[: rng.randrange(len(whole))]
    noise = "".join(rng.choice('{}[]":,\\ntrufals0123456789eE+-.\x00\x1b\u2028é😀 ') for _ in range(rng.randrange(40)))
    return Malformed.text(
        rng.choice([cut, f"{whole}{noise.strip() or ','}x", f"x{noise}", "", "\ufeff" + whole, whole.replace('"', "'"), whole * 2])
    )


def no_object(kind: str, rng: random.Random) -> Malformed:
    return Malformed.text(json.dumps(rng.choice([[], [{"type": "kill"}], "kill", 0, -1, 1.5, True, None, "", "type", [["type", "run"]]])))


def unknown_type(kind: str, rng: random.Random) -> Malformed:
    strange = ["", "Run", "run ", "run\0", "__class__", "exit", "started", "\ud800", "ready", "r" * rng.randrange(1, 5000), "None", "error"]
    kinds = [*strange, anything(rng, but=str), *(name for other in KNOWN.values() for name in other if name not in KNOWN[kind])]
    return Malformed.text(json.dumps({"type": rng.choice(kinds), "command": "touch /tmp/fuzzed"}))


def wrong_field(kind: str, rng: random.Random) -> Malformed:
    """A known type, one of its fields of another type, or a number out of range."""
    name = rng.choice([known for known in KNOWN[kind] if known != "kill"])
    message = {
        "type": name,
        "command": "touch /tmp/fuzzed",
        "run_id": "6f1c1f0e-0000-4000-8000-000000000000",
        "bytes": 1,
        "cols": 80,
        "rows": 24,
    }
    field = rng.choice({"run": ["command", "workdir", "timeout"], "attach": ["run_id", "offset"]}.get(name, FIELDS[name]))
    if field in ("command", "workdir"):
        message[field] = anything(rng, but=str)
    elif field == "run_id":
        message[field] = rng.choice([anything(rng, but=str), "", "x" * 36, "../../../etc/passwd", "6f1c1f0e", "\ud800" * 32, "{" * 9999])
    else:
        bad = [-1, -(2**70), 2**53 + 1, 10**300, 1.0, 0.5, float("inf"), float("nan"), True, False, "1", [1], {}]
        message[field] = rng.choice(bad if field == "timeout" else [*bad, None])
        if field in ("cols", "rows") and rng.random() < 0.2:
            message[field] = 0
    return Malformed.text(json.dumps(message))


def missing_field(kind: str, rng: random.Random) -> Malformed:
    name = rng.choice([known for known in KNOWN[kind] if known in FIELDS])
    message: dict[str, object] = dict.fromkeys(FIELDS[name], 80)
    del message[rng.choice(FIELDS[name])]
    return Malformed.text(json.dumps({"type": name, **message, "Type": "x"}))


def huge(kind: str, rng: random.Random) -> Malformed:
    """Large, and below the limit of one message (1 MiB): a number of so many digits, a text without an end, a sea of brackets."""
    size = rng.choice([70_000, 200_000, LARGEST_BYTES])
    number = f'{{"type": "ack", "bytes": {"9" * size}}}'
    return Malformed.text(
        rng.choice([number, f'{{"type": "{"A" * size}"}}', "[" * size, '{"type":' * (size // 8), "\0" * size, " " * size])
    )


def deep(kind: str, rng: random.Random) -> Malformed:
    depth = rng.choice([10, 900, 5000, 60_000])
    return Malformed.text(f'{{"type": {"[" * depth}{"]" * depth}}}')


def binary(kind: str, rng: random.Random) -> Malformed:
    return Malformed(((BINARY, rng.randbytes(rng.choice([0, 1, 9, 5000, 100_000])), True),))


def anything(rng: random.Random, *, but: type) -> object:
    made = [None, True, False, 0, 1, -1, 2**64, 1.5, [], {}, ["run"], {"type": "run"}, "text"]
    return rng.choice([value for value in made if not isinstance(value, but)])


# -- what breaks the protocol below the messages --------------------------------------------


def broken_frames(rng: random.Random) -> "dict[str, tuple[bytes, int | None]]":
    """By name: what is sent, and the code of the close that RFC 6455 has for it; None where the client just leaves."""
    mask = rng.randbytes(4)
    return {
        "half a header": (b"\x81", None),
        "half a frame": (frame(TEXT, b'{"type": "kill"}', True, mask=mask)[:-3], None),
        "half a message": (frame(TEXT, b'{"type": ', False, mask=mask), None),
        "no UTF-8": (frame(TEXT, b"\xff\xfe{", True, mask=mask), 1007),
        "no UTF-8 over two frames": (frame(TEXT, b"\xe2", False, mask=mask) + frame(0, b"\x28\xa1", True, mask=mask), 1007),
        "larger than 1 MiB": (b"\x82\xff" + struct.pack(">Q", 2**20 + 1) + mask, 1009),
        "a size of 2^63": (b"\x82\xff" + struct.pack(">Q", 2**63) + mask, 1009),
        "not masked": (b"\x81\x02{}", 1002),
        "an unknown opcode": (frame(3, b"", True, mask=mask), 1002),
        "a reserved bit": (b"\xf1" + frame(TEXT, b"{}", True, mask=mask)[1:], 1002),
        "a continuation of nothing": (frame(0, b"{}", True, mask=mask), 1002),
        "a long ping": (frame(9, b"x" * 126, True, mask=mask), 1002),
        "a close without a code": (frame(8, b"\x03", True, mask=mask), 1002),
    }


async def exchange(port: int, path: str, key: str, wire: bytes, *, leave: bool = False) -> tuple[list[str], int | None]:
    """Open a socket, send these bytes with the very handshake, and read to the end: the types of what was said, and the close's code."""
    nonce = base64.b64encode(os.urandom(16)).decode()
    head = (
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: http://127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {nonce}\r\n\r\n"
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(head.encode())
        status = await reader.readuntil(b"\r\n\r\n")
        assert status.startswith(b"HTTP/1.1 101"), status
        writer.write(wire)
        if leave:
            await writer.drain()
            return [], None
        return await said_and_code(reader, writer)
    finally:
        writer.close()


async def said_and_code(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> tuple[list[str], int | None]:
    said: list[str] = []
    try:
        while True:
            first, second = await reader.readexactly(2)
            size = second & 127
            if size > 125:
                size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
            data = await reader.readexactly(size)
            if first & 15 == 8:
                writer.write(frame(8, data[:2], True, mask=b"\0\0\0\0"))
                return said, int.from_bytes(data[:2], "big") if data else None
            said.append(json.loads(data)["type"] if first & 15 == TEXT else "bytes")
    except (asyncio.IncompleteReadError, ConnectionError):
        return said, None
