"""Keeping a run loses nothing when the database is locked, full, damaged or not writable, or the process dies."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sootprint import Footprint, RecordError
from sootprint.ledger import Ledger, database, keep, spool, versions
from sootprint.ledger.database import FILE_NAME

SPAWN = multiprocessing.get_context("fork")
NOBODY = 65534


def test_locked_ledger_delays_little_and_loses_nothing(home: Path, a_run) -> None:
    """With the database locked by another process the run waits in the spool, and the next opening takes it in."""
    keep(home, a_run())
    took_s = []
    with _locked(home / FILE_NAME):
        for _ in range(5):
            footprint, started_s = a_run(), time.monotonic()
            assert not keep(home, footprint)
            took_s.append(time.monotonic() - started_s)
        assert min(took_s) < 0.5  # 50 ms for the lock, and the rest for a machine that is busy each time
        assert (home / "spool" / f"{footprint.id}.json").exists()
    with Ledger(home) as ledger:
        assert ledger.find("latest") == footprint.id
    assert list((home / "spool").iterdir()) == []


def test_recovered_run_that_waited_is_still_recovered(home: Path, a_run) -> None:
    """The spool remembers the state."""
    keep(home, a_run())
    footprint = a_run()
    with _locked(home / FILE_NAME):
        assert not keep(home, footprint, state="recovered")
    with Ledger(home) as ledger:
        assert ledger.state(footprint.id) == "recovered"


def test_eight_processes_keep_eight_runs(home: Path, a_run) -> None:
    """Eight processes that keep at once into a home that does not exist yet give eight rows."""
    footprints = [a_run() for _ in range(8)]
    barrier = SPAWN.Barrier(8)
    workers = [SPAWN.Process(target=_keep_at, args=(barrier, home, footprint)) for footprint in footprints]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=120)
    assert [worker.exitcode for worker in workers] == [0] * 8
    with Ledger(home) as ledger:
        assert {run.id for run in ledger.runs()} == {footprint.id for footprint in footprints}


def test_kill_between_spool_and_database_loses_nothing(home: Path, a_run, monkeypatch) -> None:
    """A process killed after the spool file was written leaves a run that the next opening takes in."""
    footprint = a_run()
    monkeypatch.setattr(versions, "store", lambda *args, **kwargs: os.kill(os.getpid(), signal.SIGKILL))
    worker = SPAWN.Process(target=keep, args=(home, footprint))
    worker.start()
    worker.join(timeout=120)
    assert worker.exitcode == -signal.SIGKILL
    with Ledger(home) as ledger:
        assert ledger.get("latest") == footprint


def test_power_cut_finds_each_record_in_the_spool_or_in_the_database(home: Path, a_run, monkeypatch) -> None:
    """SQLite waits for the disk once for all of them, and then their files go."""
    for _ in range(3):
        spool.leave(home, a_run())
    said: list[str] = []
    connect, unlink = database.connect, Path.unlink

    def traced(*args, **more):
        connection = connect(*args, **more)
        connection.set_trace_callback(said.append)
        return connection

    def told(path: Path, **more: bool) -> None:
        said.append("unlink")
        unlink(path, **more)

    monkeypatch.setattr(database, "connect", traced)
    monkeypatch.setattr(Path, "unlink", told)
    with Ledger(home) as ledger:
        assert len(ledger.runs()) == 3
    steps = ["PRAGMA synchronous = FULL", "BEGIN IMMEDIATE", "COMMIT", "PRAGMA synchronous = NORMAL"]
    assert [one for one in said if one in (*steps, "unlink")] == [*steps, "unlink", "unlink", "unlink"]


def test_record_is_on_its_way_to_the_disk_before_it_has_its_name(home: Path, a_run, monkeypatch) -> None:
    """The disk is asked for the whole file, and nobody waits: no fsync is called."""
    done: list[tuple[str, int]] = []
    replace = os.replace

    def asked(number: int, start: int, length: int, advice: int) -> None:
        assert (start, length, advice) == (0, 0, os.POSIX_FADV_DONTNEED)
        done.append(("asked", os.fstat(number).st_size))

    def named(draft: str, path: Path) -> None:
        replace(draft, path)
        done.append(("named", path.stat().st_size))

    monkeypatch.setattr(os, "posix_fadvise", asked)
    monkeypatch.setattr(os, "replace", named)
    monkeypatch.setattr(os, "fsync", lambda number: done.append(("waited", number)))
    spool.leave(home, a_run())
    (size,) = {size for _, size in done}
    assert done == [("asked", size), ("named", size)]


def test_kill_while_writing_the_spool_leaves_no_half_record(home: Path, a_run, monkeypatch) -> None:
    """A process killed before the rename leaves a draft that nobody takes for a record."""
    monkeypatch.setattr(os, "replace", lambda *args: os.kill(os.getpid(), signal.SIGKILL))
    worker = SPAWN.Process(target=keep, args=(home, a_run()))
    worker.start()
    worker.join(timeout=120)
    assert worker.exitcode == -signal.SIGKILL
    monkeypatch.undo()
    with Ledger(home) as ledger:
        assert ledger.runs() == []
        assert ledger.unreadable == ()


def test_full_disk_for_the_database_leaves_the_run_in_the_spool(home: Path, a_run) -> None:
    """Files may not grow beyond 8 KiB: the record fits, the database's log does not."""
    keep(home, a_run())
    footprint = a_run()
    assert _in_child(lambda: keep(home, footprint), largest_file_bytes=8192) == "False"
    with Ledger(home) as ledger:
        assert ledger.get("latest") == footprint


def test_no_room_at_all_is_one_clear_error(home: Path, a_run) -> None:
    """Files may not grow at all: one line says where and what to do, and no half file stays."""
    keep(home, a_run())
    said = _in_child(lambda: keep(home, a_run()), largest_file_bytes=0)
    assert "could not be kept" in said and "SOOTPRINT_HOME" in said
    assert list((home / "spool").iterdir()) == []
    with Ledger(home) as ledger:
        assert len(ledger.runs()) == 1


def test_full_file_system_loses_nothing_that_was_there(a_run) -> None:
    """Without a free byte the error names the way out; with room again the run is kept beside the earlier one."""
    with _small_disk() as (disk, is_small):
        home, footprint = disk / "home", a_run(tags={"long": "x" * 20_000})
        keep(home, a_run())
        if is_small:
            with _filled(disk), pytest.raises(RecordError, match=r"could not be kept.*SOOTPRINT_HOME"):
                keep(home, footprint)
        assert keep(home, footprint)
        with Ledger(home) as ledger:
            assert len(ledger.runs()) == 2


def test_read_only_home_is_one_clear_error_and_still_readable(a_run) -> None:
    """In a home that cannot be written nothing is kept, which is said; what is there can be read."""
    with _open_folder() as folder:
        home, footprint = folder / "home", a_run()
        keep(home, footprint)
        with _read_only(home):
            with pytest.raises(RecordError, match=r"could not be kept.*SOOTPRINT_HOME"):
                keep(home, a_run())
            with Ledger(home) as ledger:
                assert ledger.get("latest") == footprint
                with pytest.raises(RecordError, match="SOOTPRINT_HOME"):
                    ledger.tag("latest", {"a": "b"})
                with pytest.raises(RecordError, match="SOOTPRINT_HOME"):
                    ledger.delete("latest")


@pytest.mark.parametrize(
    "damage", [b"this is no database, only text of some length " * 400, b"SQLite format 3\0" * 512]
)
def test_damaged_ledger_says_what_to_do_and_the_spool_is_whole(home: Path, a_run, damage: bytes) -> None:
    """A run kept beside a damaged database waits; moving the file away, as told, brings it back."""
    keep(home, a_run())
    (home / FILE_NAME).write_bytes(damage)
    footprint = a_run()
    assert not keep(home, footprint)
    with pytest.raises(RecordError, match=r"is damaged.*move it away.*1 record\(s\)"):
        Ledger(home)
    (home / FILE_NAME).rename(home / "damaged.sqlite")
    with Ledger(home) as ledger:
        assert ledger.get("latest") == footprint


def test_spool_file_that_is_no_record_is_named_and_kept(home: Path, a_run) -> None:
    """A foreign or newer file in the spool stops nothing, is not dropped, and is named with the reason."""
    footprint = a_run()
    keep(home, footprint)
    bad, newer = home / "spool" / "bad.json", home / "spool" / "newer.json"
    bad.write_text("{")
    newer.write_text(footprint.to_json().replace('"schema": "1.0"', '"schema": "9.0"'))
    with Ledger(home) as ledger:
        assert len(ledger.runs()) == 1
        assert [str(bad) in problem or str(newer) in problem for problem in ledger.unreadable] == [True, True]
        assert "upgrade sootprint" in ledger.unreadable[1]
    assert bad.exists() and newer.exists()


def test_home_that_is_a_file_is_one_clear_error(tmp_path: Path, a_run) -> None:
    """A home that cannot be a folder is named."""
    (tmp_path / "home").write_text("")
    with pytest.raises(RecordError, match="could not be kept"):
        keep(tmp_path / "home", a_run())


def test_unknown_state_is_refused(home: Path, a_run) -> None:
    """Only finished and recovered runs are kept."""
    with pytest.raises(RecordError, match=r"'live' is not one of finished, recovered"):
        keep(home, a_run(), state="live")


def test_import_of_the_ledger_opens_no_database_module() -> None:
    """Importing the ledger leaves sqlite3 to the first use."""
    code = "import sys, sootprint.ledger; sys.exit('sqlite3' in sys.modules or 'difflib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _keep_at(barrier, home: Path, footprint: Footprint) -> None:
    barrier.wait(timeout=120)
    keep(home, footprint)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """The database locked by another process for as long as the block runs."""
    code = (
        "import sqlite3, sys; connection = sqlite3.connect(sys.argv[1]);"
        "connection.execute('BEGIN EXCLUSIVE'); print(flush=True); input()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    try:
        yield
    finally:
        holder.communicate("\n", timeout=120)


def _in_child(action: Callable[[], object], *, largest_file_bytes: int) -> str:
    """Result or error of an action in a process whose files may not grow beyond a size."""
    receiver, sender = SPAWN.Pipe(duplex=False)

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file_bytes, largest_file_bytes))
        try:
            sender.send(str(action()))
        except RecordError as err:
            sender.send(str(err))

    worker = SPAWN.Process(target=work)
    worker.start()
    worker.join(timeout=120)
    assert worker.exitcode == 0
    return receiver.recv()


@contextlib.contextmanager
def _open_folder() -> Iterator[Path]:
    """A folder that every user may enter."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextlib.contextmanager
def _read_only(home: Path) -> Iterator[None]:
    """A home that this process may read and not write; root, whom nothing stops, becomes another user."""
    folders = [home, *(path for path in home.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    sqlite3.connect(":memory:").close()  # loaded while everything may be read
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)
        for folder in folders:
            folder.chmod(0o755)


@contextlib.contextmanager
def _small_disk() -> Iterator[tuple[Path, bool]]:
    """A file system of 1 MiB and True, or, where none may be mounted, a plain folder and False."""
    folder = Path(tempfile.mkdtemp())
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(command, check=False, capture_output=True).returncode == 0
    try:
        yield folder, mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)
        shutil.rmtree(folder)


@contextlib.contextmanager
def _filled(disk: Path) -> Iterator[None]:
    """A small file system without a free byte."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        for _ in range(4096):
            file.write(b"\0" * 512)
    try:
        yield
    finally:
        ballast.unlink()
