"""The frame parser, wherever the network cuts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from projects.engine.dial import Head, refusal
from projects.engine.errors import ConnectionLost, NoSuchObject, Refused, WrongState
from projects.engine.frames import FrameParser, header
from projects.states import Stream

frames = st.lists(st.tuples(st.sampled_from([Stream.STDOUT, Stream.STDERR]), st.binary(max_size=50)), max_size=20)


def framed(items):
    return b"".join(header(stream, len(data)) + data for stream, data in items)


def parsed(parser, pieces):
    return [(stream, bytes(data)) for piece in pieces for stream, data in parser.feed(memoryview(piece))]


def joined(items, stream):
    return b"".join(data for which, data in items if which is stream)


@given(frames, st.lists(st.integers(1, 30), max_size=80))
def test_frames_come_out_whole_wherever_they_were_cut(items, cuts):
    wire, pieces = framed(items), []
    for cut in cuts:
        pieces.append(wire[:cut])
        wire = wire[cut:]
    parser = FrameParser()
    found = parsed(parser, [*pieces, wire])
    assert all(data for _, data in found)
    for stream in Stream:
        assert joined(found, stream) == joined(items, stream)
    assert parser.whole


def test_what_follows_in_one_feed_keeps_its_order():
    items = [(Stream.STDOUT, b"a"), (Stream.STDERR, b"b"), (Stream.STDOUT, b"c")]
    assert parsed(FrameParser(), [framed(items)]) == items


def test_a_payload_is_a_slice_of_what_was_fed_and_no_copy():
    wire = bytearray(framed([(Stream.STDOUT, b"abc")]))
    [(_, payload)] = FrameParser().feed(memoryview(wire))
    wire[8:11] = b"xyz"
    assert bytes(payload) == b"xyz"


@pytest.mark.parametrize("cut", [3, 8, 10])
def test_a_stream_that_ends_within_a_frame_is_not_whole(cut):
    parser = FrameParser()
    parsed(parser, [framed([(Stream.STDOUT, b"abcdef")])[:cut]])
    assert not parser.whole


@pytest.mark.parametrize("wire", [b"\x07\0\0\0\0\0\0\1x", b"\x01\0\1\0\0\0\0\1x", b"HTTP/1.1"])
def test_what_is_no_frame_is_a_lost_connection(wire):
    with pytest.raises(ConnectionLost, match="frame format"):
        parsed(FrameParser(), [wire])


def test_the_engines_own_words_count_as_stderr_and_stream_nought_as_stdout():
    assert parsed(FrameParser(), [b"\x03\0\0\0\0\0\0\x01x\x00\0\0\0\0\0\0\x01y"]) == [(Stream.STDERR, b"x"), (Stream.STDOUT, b"y")]


def test_bytes_that_come_with_the_head_belong_to_the_stream():
    head = Head()
    assert head.feed(memoryview(b"HTTP/1.1 101 UPGRADED\r\nContent-Type: x\r\n\r")) is None
    rest = head.feed(memoryview(b"\nhello"))
    assert rest is not None
    assert bytes(rest) == b"hello"
    assert head.upgraded


@pytest.mark.parametrize("wire", [b"SSH-2.0 hello\r\n\r\n", b"x" * 70_000])
def test_an_answer_that_is_no_http_is_a_lost_connection(wire):
    with pytest.raises(ConnectionLost, match="no HTTP"):
        Head().feed(memoryview(wire))


@pytest.mark.parametrize(("status", "kind"), [(404, NoSuchObject), (409, WrongState), (500, Refused)])
def test_a_refusal_carries_the_engines_reason(status, kind):
    error = refusal(status, b'{"message":"the reason"}\n')
    assert type(error) is kind
    assert "the reason" in str(error)
