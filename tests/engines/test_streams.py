"""What a job writes elsewhere: each line once and in order, however the line or the reader behaves."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sootprint.engines import streams
from sootprint.engines.streams import Streams, file_of, written


@pytest.fixture
def out(monkeypatch):
    """The reading end of a pipe in place of stdout."""
    reads, writes = os.pipe()
    monkeypatch.setattr(streams, "DESCRIPTORS", {"out": writes})
    yield reads, writes
    for end in (reads, writes):
        try:
            os.close(end)
        except OSError:
            continue


def test_whole_lines_come_while_it_runs_and_the_rest_at_its_end(tmp_path: Path) -> None:
    """A line that is half written waits; a bar of progress does not."""
    file_of(tmp_path, 1, "out").write_bytes(b"step 1\nst")
    file_of(tmp_path, 1, "err").write_bytes(b" 10 %\r 20")
    assert written(tmp_path, 1, {}, whole=False) == {"out": b"step 1\n", "err": b" 10 %\r"}
    assert written(tmp_path, 1, {"out": 7, "err": 6}, whole=False) == {"out": b"", "err": b""}
    assert written(tmp_path, 1, {"out": 7, "err": 6}, whole=True) == {"out": b"st", "err": b" 20"}
    assert written(tmp_path, 2, {}, whole=True) == {"out": b"", "err": b""}


def test_another_driver_goes_on_where_the_last_one_was(tmp_path: Path, out) -> None:
    """What was passed on is noted after it was: nothing is lost, and it comes twice only after a kill in between."""
    first = Streams(tmp_path, 1)
    assert first.pass_on({"out": b"step 1\n"})
    second = Streams(tmp_path, 1)
    assert second.seen == {"out": 7}
    second.finish({"out": b"step 2\n"}, lambda seen: {"out": b""})
    assert os.read(out[0], 100) == b"step 1\nstep 2\n"
    (tmp_path / "segment.1.seen").write_text("cut o")
    assert Streams(tmp_path, 1).seen == {"out": 0}


def test_stream_that_nobody_reads_is_not_waited_for(tmp_path: Path, out, monkeypatch) -> None:
    """What it does not take comes with the next look; at the end there is a bound. One that was closed takes all."""
    text = b"x" * (1 << 19)
    own = Streams(tmp_path, 1)
    assert not own.pass_on({"out": text})
    taken = own.seen["out"]
    assert 0 < taken < len(text)
    monkeypatch.setattr(streams, "FINISH_S", 0.2)
    own.finish({"out": text[taken:]}, lambda seen: {"out": text[seen["out"] :]})
    assert own.seen["out"] == taken
    assert len(os.read(out[0], 1 << 20)) == taken
    assert own.pass_on({"out": text[: os.pathconf("/", "PC_PIPE_BUF")]})
    os.close(out[0])
    assert own.pass_on({"out": text})
    assert Streams(tmp_path, 1).seen == own.seen
