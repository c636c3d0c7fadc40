"""Seats at a machine's reader: one reads, all are seen while they live, and nothing that lies there harms them."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sootprint.core.errors import MeterError
from sootprint.core.held import Held
from sootprint.tracker import registration
from sootprint.tracker.registration import Registration
from sootprint.tracker.seat import Seat
from tests.fixtures.fake_devices import NOBODY, SOURCE

A, B = Registration("a", os.getpid()), Registration("b", os.getpid(), parent="a", strict=True)
DIES = """
import os, sys
from pathlib import Path
from sootprint.tracker.registration import Registration
from sootprint.tracker.seat import Seat
seat = Seat(Path(sys.argv[1]), "/sys")
seat.take()
seat.register(Registration("dead", os.getpid()))
if sys.argv[2] == "behind":
    import ctypes
    libc = ctypes.PyDLL(None)
    child = libc.fork()
    if child == 0:
        libc.close(1)
        libc.sleep(300)
        libc._exit(0)
    print(child, flush=True)
os.kill(os.getpid(), 9)
"""


@pytest.fixture
def runtime(tmp_path: Path) -> Path:
    """A runtime directory that does not exist yet."""
    return tmp_path / "run"


def killed(runtime: Path, how: str = "alone") -> int | None:
    """A process that took the seat, registered and was killed; the child of it that still holds both."""
    done = subprocess.run(
        [sys.executable, "-c", DIES, runtime, how],
        env=os.environ | {"PYTHONPATH": str(SOURCE)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.returncode == -9
    return int(done.stdout) if done.stdout else None


def test_one_run_reads_and_all_are_seen(runtime: Path):
    """The first one takes the seat; a registration keeps what it says."""
    first, second = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    first.register(A)
    second.register(B)
    assert (first.take(), second.take()) == (True, False)
    assert first.others() == second.others() == {"a": A, "b": B}


def test_another_device_tree_has_another_reader(runtime: Path, tmp_path: Path):
    """A test's own /sys is no part of this machine."""
    assert Seat(runtime, "/sys").take()
    assert Seat(runtime, str(tmp_path)).take()


def test_seat_of_a_killed_process_is_free_and_it_is_seen_no_more(runtime: Path):
    """The kernel gives up its locks; what it left is cleared away."""
    killed(runtime)
    seat = Seat(runtime, "/sys")
    assert seat.take()
    assert seat.others() == {}
    assert list((seat.folder / "runs").iterdir()) == []


def test_child_that_was_forked_behind_pythons_back_keeps_nothing(runtime: Path):
    """It holds both files of its dead parent; the number that they name is no process."""
    child = killed(runtime, "behind")
    try:
        seat = Seat(runtime, "/sys")
        assert not seat.take()
        assert seat.others() == {}
        assert seat.keep()
        assert seat.take()
    finally:
        os.kill(child or 0, 9)


def test_knock_ends_a_wait(runtime: Path):
    """Who reads sleeps on the pipe; its own end wakes it as well as the others."""
    reader, other = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    reader.take()
    for one in (other, reader):
        one.wake()
        begin_s = time.monotonic()
        reader.wait(60.0)
        assert reader.knocked
        assert time.monotonic() - begin_s < 50.0
        reader.knocked = False
    reader.wait(0.001)
    assert not reader.knocked


def test_many_knocks_do_not_block_who_knocks(runtime: Path):
    """A reader that hangs in a device empties no pipe."""
    reader, other = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    reader.take()
    assert reader._pipe is not None
    held = fcntl.fcntl(reader._pipe.number, fcntl.F_SETPIPE_SZ, 4096)
    for _ in range(held + 10):
        other.wake()
    reader.wait(60.0)
    assert reader.knocked


def test_knock_where_nobody_reads_is_nothing(runtime: Path):
    """There is no pipe, or nobody at its other end."""
    seat = Seat(runtime, "/sys")
    seat.wake()
    os.mkfifo(seat.folder / "wake")
    seat.wake()


def test_file_in_place_of_the_pipe_is_replaced(runtime: Path):
    """Whoever put it there, it wakes nobody."""
    seat = Seat(runtime, "/sys")
    (seat.folder / "wake").write_text("no pipe", encoding="ascii")
    seat.take()
    Seat(runtime, "/sys").wake()
    seat.wait(60.0)
    assert seat.knocked


def test_pipe_that_is_replaced_later_does_not_hold_up_the_end(runtime: Path):
    """A run wakes itself by its own end, whatever lies at the path."""
    seat = Seat(runtime, "/sys")
    seat.take()
    (seat.folder / "wake").unlink()
    (seat.folder / "wake").write_text("", encoding="ascii")
    seat.wake()
    seat.wait(60.0)
    assert seat.knocked
    assert (seat.folder / "wake").read_bytes() == b""


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "null", '{"id": 5}', '{"id": "x", "pid": "y"}', '{"id": "other", "pid": 1}', "\x00"],
)
def test_file_that_is_no_registration_is_no_run(content: str, runtime: Path):
    """One that nobody holds is cleared away."""
    seat = Seat(runtime, "/sys")
    seat.register(A)
    (seat.folder / "runs" / "x.json").write_text(content, encoding="utf-8")
    (seat.folder / "runs" / "notes.txt").write_text(content, encoding="utf-8")
    assert seat.others() == {"a": A}
    assert (seat.folder / "runs" / "notes.txt").exists()


def test_registration_may_be_changed(runtime: Path):
    """A rank that takes over from another one writes from then on; it was never unseen."""
    seat = Seat(runtime, "/sys")
    seat.register(A._replace(writes=False))
    seat.register(A)
    assert seat.others() == {"a": A}
    seat.leave()
    assert seat.others() == {}


def test_registration_that_changes_while_it_is_read_is_not_cleared_away(
    runtime: Path, monkeypatch: pytest.MonkeyPatch
):
    """Between the opening of the file and the look at its lock the run puts another one in its place."""
    seat, other = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    seat.register(A)
    tried = registration.locked

    def late(file: Held) -> bool:
        monkeypatch.setattr(registration, "locked", tried)
        seat.register(A._replace(service="/new"))
        return tried(file)

    monkeypatch.setattr(registration, "locked", late)
    assert [one.service for one in other.others().values()] == ["/new"]
    assert [one.service for one in other.others().values()] == ["/new"]


def test_folders_are_private_whatever_the_umask(runtime: Path):
    """With 002, the default of many systems, a group could write to them."""
    before = os.umask(0)
    try:
        seat = Seat(runtime, "/sys")
        seat.register(A)
    finally:
        os.umask(before)
    for path in (runtime, seat.folder, seat.folder / "runs"):
        assert path.stat().st_mode & 0o077 == 0
    for path in (seat.folder / "reader.lock", seat.folder / "runs" / "a.json"):
        assert path.stat().st_mode & 0o177 == 0


def test_folder_that_others_may_write_to_is_refused(runtime: Path):
    """Somebody else could put registrations there that are charged for nothing."""
    Seat(runtime, "/sys").folder.chmod(0o777)
    with pytest.raises(MeterError, match="others may write to it"):
        Seat(runtime, "/sys")


def test_link_in_place_of_the_folder_is_refused(runtime: Path, tmp_path: Path):
    """It could lead to the files of somebody else."""
    folder = Seat(runtime, "/sys").folder
    (tmp_path / "elsewhere").mkdir()
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MeterError, match="others may write to it"):
        Seat(runtime, "/sys")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
def test_folder_of_somebody_else_is_refused(runtime: Path):
    """The name in /tmp can be guessed: whoever made it first could replace what is in it."""
    runtime.mkdir()
    os.chown(runtime, NOBODY, NOBODY)
    with pytest.raises(MeterError, match="others may replace"):
        Seat(runtime, "/sys")


@pytest.mark.parametrize("mode", [0o777, 0o757])
def test_directory_that_everybody_may_change_is_refused(mode: int, runtime: Path):
    """Unless it is like /tmp, where nobody may remove what is another's."""
    runtime.mkdir()
    runtime.chmod(mode)
    with pytest.raises(MeterError, match="others may replace"):
        Seat(runtime, "/sys")
    runtime.chmod(mode | 0o1000)
    assert Seat(runtime, "/sys").take()


def test_file_in_place_of_the_directory_is_one_clear_error(runtime: Path):
    """The message names it and what follows."""
    runtime.write_text("", encoding="ascii")
    with pytest.raises(MeterError, match=r"run cannot be used .*other runs on this machine are not seen"):
        Seat(runtime, "/sys")


def removed(folder: Path) -> None:
    """Delete a folder as a cleaner of /tmp does: whatever is in it, in use or not."""
    for path in sorted(folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    folder.rmdir()


def test_removed_folder_is_made_again_by_who_reads(runtime: Path):
    """It goes on to read, and who comes later finds it."""
    reader = Seat(runtime, "/sys")
    reader.register(A)
    reader.take()
    removed(runtime)
    assert reader.keep()
    late = Seat(runtime, "/sys")
    assert not late.take()
    assert late.others() == {"a": A}
    late.wake()
    reader.wait(60.0)
    assert reader.knocked


def test_who_reads_gives_way_to_one_that_came_after_the_folder_was_removed(runtime: Path):
    """Two would read and charge everything twice."""
    reader, follower = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    reader.register(A)
    reader.take()
    removed(runtime)
    late = Seat(runtime, "/sys")
    assert late.take()
    assert not follower.take()  # the lock of a deleted file is no seat
    assert not reader.keep()
    assert not reader.reads
    assert follower.keep()
    assert (reader.take(), follower.take()) == (False, False)
    assert late.others() == {"a": A}


def test_folder_that_cannot_be_made_again_changes_nothing(runtime: Path):
    """Who reads goes on: nobody else can take its seat either."""
    reader = Seat(runtime, "/sys")
    reader.register(A)
    reader.take()
    removed(runtime)
    runtime.write_text("", encoding="ascii")
    assert reader.keep()
    assert reader.reads


def test_descriptors_that_the_program_took_are_left_alone(runtime: Path):
    """It closed all, and the numbers now stand for its own files."""
    seat = Seat(runtime, "/sys")
    seat.register(A)
    seat.take()
    held = [file for file in (seat._pipe, seat._own, seat._lock) if file is not None]
    ends = []
    for file in held:
        os.close(file.number)
        read, write = os.pipe()
        os.dup2(read, file.number)
        os.write(write, b"its own")
        ends.append((file.number, read, write))
    seat.wait(0.01)
    assert not seat.has_pipe
    seat.wake()
    seat.close()
    for number, read, write in ends:
        assert os.read(number, 100) == b"its own"
        for descriptor in {number, read, write}:
            os.close(descriptor)


def test_seat_without_a_free_descriptor_knows_who_was_here(runtime: Path):
    """Others are not taken for dead because no file can be opened."""
    import resource

    seat, other = Seat(runtime, "/sys"), Seat(runtime, "/sys")
    seat.register(A)
    other.register(B)
    assert seat.others().keys() == {"a", "b"}
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (3, hard))
    try:
        seat.wake()
        assert seat.keep()
        seen = seat.others()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert seen.keys() == {"a", "b"}


def test_registration_holds_what_the_reader_must_know(runtime: Path):
    """Other programs may read it: the process, its parent, and which accelerators it may use."""
    seat = Seat(runtime, "/sys")
    seat.register(A._replace(environ={"CUDA_VISIBLE_DEVICES": "0,1"}))
    (path,) = (seat.folder / "runs").iterdir()
    content = json.loads(path.read_text(encoding="utf-8"))
    assert {"id": "a", "pid": os.getpid(), "parent": None}.items() <= content.items()
    assert content["environ"] == {"CUDA_VISIBLE_DEVICES": "0,1"}


def test_files_of_a_run_of_weeks_stay_young(runtime: Path):
    """A cleaner of /tmp removes by age: lock, pipe, registration and the lock of a job are touched at each rescan."""
    seat = Seat(runtime, "/sys")
    assert seat.take() and seat.take_group("job", "a")
    seat.register(A)
    held = [seat.folder / "reader.lock", seat.folder / "wake", *(seat.folder / "runs").iterdir()]
    held += (seat.folder / "groups").iterdir()
    assert len(held) == 4
    for path in held:
        os.utime(path, (0.0, 0.0))
    assert seat.keep()
    assert all(path.stat().st_mtime > 0.0 for path in held)
