"""The journal: whole lines, a lock that says who lives, and nothing lost to a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from sootprint.core.errors import RecordError
from sootprint.tracker import journal as journals
from sootprint.tracker.fold import Fold
from sootprint.tracker.journal import Journal, is_live, read_lines
from sootprint.tracker.replay import replay, unfinished
from tests.tracker.conftest import head


def tick(at_s: float, counter_j: float) -> dict[str, object]:
    """Journal line with one reading."""
    return {"k": "tick", "s": at_s, "r": [[0, at_s, counter_j, None, None, 0.0]], "miss": []}


COMPONENT = {"k": "comp", "c": {"meter": "nvml", "component": "accelerator:0", "basis": "sensor"}}


def test_journal_is_live_until_its_process_dies(tmp_path):
    """The lock of a journal goes with the process that holds it, also at kill -9."""
    path = tmp_path / "journal" / "a.jsonl"
    code = (
        "import sys, time; from pathlib import Path; from sootprint.tracker.journal import Journal\n"
        f"j = Journal(Path({str(path)!r})); j.append({{'k': 'x'}}); print('open', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"open\n"
        assert is_live(path)
        assert unfinished(tmp_path) == []
        writer.kill()
    assert not is_live(path)
    assert unfinished(tmp_path) == [path]


def test_forked_child_does_not_keep_its_parents_journal_alive(tmp_path):
    """A child that outlives its parent by a fork without exec does not hold the lock."""
    path = tmp_path / "a.jsonl"
    code = (
        "import os, time; from pathlib import Path; from sootprint.tracker.journal import Journal\n"
        f"j = Journal(Path({str(path)!r}))\n"
        "pid = os.fork()\n"
        "if pid == 0:\n    os.close(1); os.close(2); time.sleep(300); os._exit(0)\n"
        "print(pid, flush=True); os._exit(0)"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=120, check=True)
    child = int(done.stdout)
    time.sleep(0.05)
    live = is_live(path)
    os.kill(child, 9)
    assert not live


def test_full_disk_loses_nothing_that_is_freed_in_time(tmp_path, monkeypatch):
    """Lines that the disk refuses are written, whole and in order, once it takes them again."""
    journal = Journal(tmp_path / "a.jsonl")
    write, refuse = os.write, [False]

    def limited(fd: int, data: bytes) -> int:
        if refuse[0]:
            raise OSError(28, "No space left on device")
        return write(fd, bytes(data)[:7])  # short writes are normal near the end of a disk

    monkeypatch.setattr(journals.os, "write", limited)
    assert journal.append({"k": "a"})
    refuse[0] = True
    assert not journal.append({"k": "b"})
    refuse[0] = False
    assert journal.append({"k": "c"})
    assert [line.content for line in read_lines(journal.path)] == [{"k": "a"}, {"k": "b"}, {"k": "c"}]


def test_full_disk_takes_the_lines_that_room_was_kept_for(tmp_path, monkeypatch):
    """64 KiB are held from the start; on a disk that takes nothing they are freed, and the line is written."""
    journal = Journal(tmp_path / "a.jsonl")
    (room,) = tmp_path.glob("*.room")
    assert room.stat().st_blocks * 512 >= 65536
    write = os.write

    def full(fd: int, data: bytes) -> int:
        if room.exists():
            raise OSError(28, "No space left on device")
        return write(fd, data)

    monkeypatch.setattr(journals.os, "write", full)
    assert journal.append({"k": "a"})
    assert [line.content for line in read_lines(journal.path)] == [{"k": "a"}]
    assert not room.exists()


def test_end_of_a_journal_leaves_no_file(tmp_path):
    """The room kept back goes with the journal; it is no journal itself."""
    journal = Journal(tmp_path / "journal" / "a.jsonl")
    assert unfinished(tmp_path) == []
    journal.remove()
    assert list((tmp_path / "journal").iterdir()) == []


def test_disk_that_is_full_for_long_gets_a_snapshot_as_soon_as_it_can(tmp_path, monkeypatch):
    """What was given up for it is in the snapshot, and what waited is not written twice."""
    monkeypatch.setattr(journals, "MAX_PENDING_BYTES", 30)
    journal = Journal(tmp_path / "a.jsonl")
    write, takes = os.write, [3]

    def full(fd: int, data: bytes) -> int:
        if takes[0] <= 0:
            raise OSError(28, "No space left on device")
        takes[0], some = 0, bytes(data)[: takes[0]]
        return write(fd, some)

    monkeypatch.setattr(journals.os, "write", full)
    for number in range(6):
        assert not journal.append({"line": number})
    assert not journal.complete
    takes[0] = 1000
    assert journal.append({"line": 6})
    torn, *whole = read_lines(journal.path)
    assert torn.content is None
    assert [line.content for line in whole] == [{"line": 4}, {"line": 5}, {"line": 6}]
    takes[0] = 0
    assert not journal.append({"line": 7})
    monkeypatch.setattr(journals.os, "write", write)
    journal.keep(1, lambda: [{"all": 7}])
    assert journal.complete
    assert journal.append({"line": 8})
    assert [line.content for line in read_lines(journal.path)] == [{"all": 7}, {"line": 8}]


def test_disk_without_room_to_keep_back_still_takes_a_journal(tmp_path, monkeypatch):
    """Nothing is held where the disk has no room, and nothing else changes."""
    monkeypatch.setattr(journals, "ROOM_BYTES", 1 << 62)
    journal = Journal(tmp_path / "a.jsonl")
    assert journal.append({"k": "a"})
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]


def test_torn_last_line_is_left_out_and_the_rest_kept(tmp_path):
    """A journal cut in the middle of its last line gives everything before it."""
    journal = Journal(tmp_path / "a.jsonl")
    for line in (head(), COMPONENT, tick(0.0, 0.0), tick(1.0, 70.0)):
        journal.append(line)
    journal.close()
    journal.path.write_bytes(journal.path.read_bytes() + b'{"k":"tick","s":2.0,"r":[[0,2.')
    assert replay(journal.path).total_j() == 70.0


def test_unreadable_line_is_named_and_nothing_changes(tmp_path):
    """A line that is not JSON in the middle stops the recovery with its number; it goes on when told to."""
    journal = Journal(tmp_path / "a.jsonl")
    for line in (head(), COMPONENT, tick(0.0, 0.0), tick(1.0, 70.0), tick(2.0, 140.0)):
        journal.append(line)
    journal.close()
    rows = journal.path.read_bytes().split(b"\n")
    rows[3] = b"\x00\xff garbage"
    journal.path.write_bytes(b"\n".join(rows))
    with pytest.raises(RecordError, match=r"line 4 cannot be read.*--skip-unreadable"):
        replay(journal.path)
    assert journal.path.exists()
    fold = replay(journal.path, skip_unreadable=True)
    assert fold.total_j() == 140.0
    assert "1 journal lines could not be read" in fold.notes[0]


@pytest.mark.parametrize(
    "line",
    [
        {},
        {"k": "nonsense"},
        {"k": "tick"},
        {"k": "tick", "s": 1, "r": [[9, 1, 2, None, None, 0]]},
        {"k": "tick", "s": 1, "r": [["a", 1]]},
        {"k": "comp", "c": {"meter": 1}},
        {"k": "comp", "c": None},
        {"k": "snap", "state": {}},
        {"k": "head", "v": 2},
        {"k": "drop", "i": [7], "why": ""},
        {"k": "more", "head": 3},
    ],
)
def test_malformed_line_is_a_record_error(line):
    """A line that lacks what its kind needs is refused with one error."""
    fold = Fold()
    fold.apply(head())
    with pytest.raises(RecordError):
        fold.apply(line)


def test_power_cut_never_finds_an_empty_snapshot(tmp_path, monkeypatch):
    """It is whole on the disk before it takes the place of all lines before it."""
    journal = Journal(tmp_path / "a.jsonl")
    journal.append({"k": "old"})
    whole: list[bytes] = []
    draft = tmp_path / "a.new"
    monkeypatch.setattr(journals.os, "fsync", lambda fd: whole.append(draft.read_bytes()))
    monkeypatch.setattr(journals.Path, "replace", lambda path, target: whole.append(b"placed"))
    journal.replace([{"k": "new"}])
    assert whole == [b'{"k":"new"}\n', b"placed"]


def test_journal_is_brought_to_the_disk_from_time_to_time(tmp_path, monkeypatch):
    """After each 60 ticks, also where some of them come at a time; once for a snapshot, which is a sync itself."""
    journal = Journal(tmp_path / "a.jsonl")
    synced: list[int] = []
    dumped: list[int] = []
    monkeypatch.setattr(journals.os, "fsync", lambda fd: synced.append(ticks))

    def dump():
        dumped.append(ticks)
        return [{"k": "new"}]

    for ticks in range(7, 1300, 7):
        journal.keep(ticks, dump)
    assert dumped == [602, 1204]
    assert synced == [*range(63, 602, 63), *range(602, 1204, 63), *range(1204, 1300, 63)]


def test_snapshot_stands_for_all_lines_before_it(tmp_path):
    """A compacted journal gives the same sums, spans, curve and gaps as the lines it replaced."""
    lines = [
        head(),
        COMPONENT,
        tick(0.0, 0.0),
        {"k": "span", "s": 0.5, "n": 0, "open": True, "name": "epoch"},
        tick(1.0, 100.0),
        {"k": "log", "s": 1.5, "metric": "accuracy", "value": 0.5},
        tick(2.0, 300.0),
        {"k": "tick", "s": 3.0, "r": [], "miss": [[0, "busy"]]},
        {"k": "span", "s": 3.5, "n": 0, "open": False},
    ]
    rest = [tick(4.0, 500.0), {"k": "end", "s": 4.0, "why": "finished"}]
    whole, first, second = Fold(), Fold(), Fold()
    for line in (*lines, *rest):
        whole.apply(line)
    for line in lines:
        first.apply(line)
    journal = Journal(tmp_path / "a.jsonl")
    journal.append({"k": "old"})
    journal.replace(first.dump())
    assert is_live(journal.path)
    for line in rest:
        journal.append(line)
    journal.close()
    for kept in read_lines(journal.path):
        assert kept.content is not None
        second.apply(kept.content)
    assert second.dump() == whole.dump()
    assert whole.spans == [("epoch", 0.5, 3.5, 50.0, 400.0)]
    assert whole.curve == [(200.0, "accuracy", 0.5)]
