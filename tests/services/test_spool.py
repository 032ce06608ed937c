import fcntl
import hashlib
import os
import struct
import uuid

import pytest

from projects.models import CommandRun
from projects.services import spool
from projects.services.spool import Spool, SpoolFull, split_frames
from projects.states import Stream

OUT, ERR = Stream.STDOUT, Stream.STDERR


@pytest.fixture(autouse=True)
def _data_dir(settings, tmp_path):
    settings.DATA_DIR = tmp_path


@pytest.fixture
def run():
    return CommandRun(id=uuid.uuid4())


def limited(settings, **limits):
    settings.CONTAINERHUB = settings.CONTAINERHUB.model_copy(update=limits)


def write_all(out, chunks):
    for chunk in chunks:
        out.write(OUT, chunk)


def whole(run):
    return spool.read_from(run, 0, 1 << 30)


def test_the_file_holds_dockers_own_frames(run):
    with Spool(run.id) as out:
        out.write(OUT, b"hello")
        out.write(ERR, b"oh")
    assert whole(run) == b"\x01\0\0\0\0\0\0\x05hello" + b"\x02\0\0\0\0\0\0\x02oh"


def test_the_directory_and_the_file_are_closed_to_others(run):
    with Spool(run.id):
        pass
    path = spool.path_of(run.id)
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert path.stat().st_mode & 0o777 == 0o600


def test_small_chunks_of_one_stream_share_a_frame_and_streams_keep_their_order(run):
    with Spool(run.id) as out:
        for index in range(1000):
            out.write(OUT, b"%d\n" % index)
        out.write(ERR, b"!")
        out.write(OUT, b"end")
    frames, used = split_frames(whole(run))
    assert used == out.size == spool.size_of(run)
    assert len(frames) < 50
    assert b"".join(data for stream, data in frames if stream is OUT) == b"".join(b"%d\n" % index for index in range(1000)) + b"end"
    assert [stream for stream, _data in frames[-2:]] == [ERR, OUT]


def test_the_first_output_after_a_quiet_time_is_seen_at_once_and_the_rest_after_poll(run):
    with Spool(run.id) as out:
        out.write(OUT, b"first")
        assert split_frames(whole(run))[0] == [(OUT, b"first")]
        out.write(OUT, b"second")
        out.poll()
        assert split_frames(whole(run))[0][1:] == [(OUT, b"second")]


def test_two_hundred_megabytes_are_whole(run):
    block = os.urandom(1 << 20)
    expected, found = hashlib.sha256(), hashlib.sha256()
    with Spool(run.id) as out:
        for index in range(200):
            size = (1 << 20) - index * 4000
            out.write(OUT, memoryview(block)[:size])
            expected.update(block[:size])
    rest, offset = b"", 0
    while data := spool.read_from(run, offset):
        offset += len(data)
        frames, used = split_frames(rest + data)
        rest = (rest + data)[used:]
        for _stream, payload in frames:
            found.update(payload)
    assert rest == b""
    assert found.hexdigest() == expected.hexdigest()


def test_output_past_the_limit_is_refused_after_all_that_fits(run, settings):
    limited(settings, run_output_limit_mb=1)
    out = Spool(run.id)
    with pytest.raises(SpoolFull, match="1 MB"):
        write_all(out, [b"x" * 70_000] * 20)
    out.close()
    assert spool.size_of(run) == 1 << 20
    assert split_frames(whole(run))[1] == 1 << 20


def test_a_disk_nearly_full_ends_a_large_output_and_no_small_one(run, settings):
    limited(settings, run_free_disk_mb=1 << 40)
    with Spool(run.id) as out:
        out.write(OUT, b"small")
        with pytest.raises(SpoolFull, match="free"):
            write_all(out, [bytes(1 << 20)] * 10)


def test_a_full_disk_leaves_only_whole_frames(run, monkeypatch):
    out = Spool(run.id)
    out.write(OUT, b"whole")
    real = os.writev

    def half(fd, parts):
        if os.fstat(fd).st_size > 13:
            raise OSError(28, "No space left on device")
        return real(fd, [bytes(parts[0])[:3]])

    monkeypatch.setattr(os, "writev", half)
    with pytest.raises(SpoolFull, match="disk"):
        out.write(OUT, bytes(100_000))
    monkeypatch.undo()
    out.close()
    assert split_frames(whole(run)) == ([(OUT, b"whole")], 13)


def test_a_run_is_live_as_long_as_its_reader_holds_the_lock(run):
    assert not spool.is_live(run)
    out = Spool(run.id)
    assert spool.is_live(run)
    with spool.orphaned(run) as mine:
        assert not mine
    out.close()
    assert not spool.is_live(run)
    with spool.orphaned(run) as mine:
        assert mine


def test_somebody_who_looks_does_not_keep_an_orphan_from_being_found(run):
    with Spool(run.id):
        pass
    fd = os.open(spool.path_of(run.id), os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_SH)
    with spool.orphaned(run) as mine:
        assert not mine
    os.close(fd)
    with spool.orphaned(run) as mine:
        assert mine


def test_several_viewers_read_from_any_offset(run):
    with Spool(run.id) as out:
        out.write(OUT, b"abc")
        out.poll()
        early = spool.read_from(run, 0)
        out.write(ERR, b"def")
        out.poll()
        assert early + spool.read_from(run, len(early)) == whole(run)
        assert spool.read_from(run, 9, limit=1) == b"b"
        assert spool.read_from(run, 10_000) == b""


def test_only_offsets_between_frames_are_positions(run):
    with Spool(run.id) as out:
        out.write(OUT, b"abc")
        out.write(ERR, b"def")
    assert [offset for offset in range(30) if spool.is_position(run, offset)] == [0, 11, 22]


def test_the_tail_keeps_the_last_bytes_of_both_streams(run):
    with Spool(run.id) as out:
        out.write(OUT, b"0123456789")
        out.write(ERR, b"abcde")
        out.write(OUT, b"XYZ")
    assert spool.tail(run, 100) == spool.Tail(b"0123456789XYZ", b"abcde", False)
    assert spool.tail(run, 18) == spool.Tail(b"0123456789XYZ", b"abcde", False)
    assert spool.tail(run, 10) == spool.Tail(b"89XYZ", b"abcde", True)
    assert spool.tail(run, 8) == spool.Tail(b"XYZ", b"abcde", True)
    assert spool.tail(run, 2) == spool.Tail(b"YZ", b"", True)


def test_a_run_without_a_spool_has_an_empty_tail(run):
    assert spool.tail(run) == spool.Tail(b"", b"", False)
    assert whole(run) == b""


def test_a_last_frame_half_written_by_a_killed_reader_is_shown_as_far_as_it_goes(run):
    with Spool(run.id) as out:
        out.write(OUT, b"abc")
    with spool.path_of(run.id).open("ab") as file:
        file.write(struct.pack(">BxxxL", 1, 100) + b"part")
    assert spool.tail(run).stdout == b"abcpart"
    assert split_frames(whole(run)) == ([(OUT, b"abc")], 11)


def test_what_is_kept_of_an_old_spool_is_its_tail_in_frames(run):
    with Spool(run.id) as out:
        out.write(OUT, b"0123456789")
        out.write(ERR, b"abcde")
    spool.keep_tail(run, 7)
    assert split_frames(whole(run))[0] == [(OUT, b"89"), (ERR, b"abcde")]
