"""Files that several processes append to: whole lines only, each once, whatever happens to the writers and the disk."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from sootprint import settings
from sootprint.core.errors import ExportError, InputError
from sootprint.core.records import Footprint
from sootprint.exporters import opened
from sootprint.exporters.csv import COLUMNS
from sootprint.exporters.outbox import Outbox
from tests.fixtures.exporting import footprint

FORMS = ["jsonl", "csv"]
PARTS = 20_000  # a record of a long run, whose line is more than a page of memory
# Writes its records for ever, so that a kill comes in the middle of one.
WRITER = """
import sys
from sootprint import settings
from sootprint.core.records import Footprint
from sootprint.exporters import opened
exporter = opened(sys.argv[1], settings.load())
for name in sys.argv[2:]:
    with open(name, "rb") as file:
        exporter.write(Footprint.from_json(file.read()))
print("done", flush=True)
"""


def exporter_of(form: str, path: Path):
    """Exporter to a file."""
    return opened(f"{form}:{path}", settings.load())


def whole(form: str, path: Path) -> list[str]:
    """Ids of the records of a file, every line of which is whole."""
    text = path.read_bytes().decode()
    assert text.endswith("\n")
    if form == "csv":
        head, *rows = csv.reader(text.rstrip("\n").split("\n"))
        assert tuple(head) == COLUMNS
        assert all(len(row) == len(COLUMNS) for row in rows)
        return [row[0] for row in rows]
    return [Footprint.from_json(line).id for line in text.rstrip("\n").split("\n")]


def large(number: float) -> Footprint:
    """A record whose line has a megabyte; in a table it has 20 kB, for a longer cell is cut."""
    return footprint(number, name="x" * 40, tags={"k": "y" * 1_000_000})


def saved(folder: Path, records: list[Footprint]) -> list[str]:
    """Files of records."""
    paths = [folder / f"{one.id}.json" for one in records]
    for path, one in zip(paths, records, strict=True):
        path.write_text(one.to_json())
    return [str(path) for path in paths]


@pytest.mark.parametrize("form", FORMS)
def test_two_processes_at_once_lose_and_double_nothing(form: str, tmp_path: Path) -> None:
    """Two write 20 records each, of which ten are the same: 30 lines."""
    records = [footprint(number) for number in range(1, 31)]
    names, path = saved(tmp_path, records), tmp_path / "runs"
    command = [sys.executable, "-c", WRITER, f"{form}:{path}"]
    writers = [subprocess.Popen([*command, *part]) for part in (names[:20], names[10:])]
    assert [one.wait(60) for one in writers] == [0, 0]
    assert sorted(whole(form, path)) == sorted(one.id for one in records)


@pytest.mark.parametrize("form", FORMS)
def test_kill_leaves_at_most_a_piece_that_the_next_writer_takes_away(form: str, tmp_path: Path) -> None:
    """Killed at eight instants among its writes: what was written before is there, and a retry brings the rest."""
    records = [large(number) for number in range(1, 7)]
    names, path = saved(tmp_path, records), tmp_path / "runs"
    command = [sys.executable, "-c", WRITER, f"{form}:{path}", *names]
    for _ in range(8):
        before = path.stat().st_size if path.exists() else 0
        with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
            until_s = time.monotonic() + 30
            while running.poll() is None and time.monotonic() < until_s:
                if path.exists() and path.stat().st_size > before:
                    break
            running.send_signal(signal.SIGKILL)
        text = path.read_bytes()
        lines = [line for line in text.split(b"\n")[:-1] if line]
        letters = 1_000_000 if form == "jsonl" else 19_990
        assert all(line.count(b"y" * letters) == 1 for line in lines[form == "csv" :])
    exporter = exporter_of(form, path)
    for one in records:
        exporter.write(one)
    assert sorted(whole(form, path)) == sorted(one.id for one in records)


@pytest.mark.parametrize("form", FORMS)
def test_every_piece_of_a_line_is_taken_away(form: str, tmp_path: Path) -> None:
    """A file that was cut off anywhere in its last record, or in its head, has both records after the next write."""
    first, second = footprint(1.0), footprint(2.0)
    path = tmp_path / "whole"
    exporter_of(form, path).write(first)
    start = path.stat().st_size
    exporter_of(form, path).write(second)
    text = path.read_bytes()
    places = random.Random(0).sample(range(start + 1, len(text)), 60)
    for size in [0, 1, start - 1, start, start + 1, len(text) - 2, len(text) - 1, *places]:
        cut = tmp_path / f"cut {size}"
        cut.write_bytes(text[:size])
        for one in (first, second):
            exporter_of(form, cut).write(one)
        assert cut.read_bytes() == text, f"cut at {size} of {len(text)}"


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "text",
    [
        b"import os\n",
        b'{\n  "id": 1\n}\n',
        b"id,name\n1,2\n",
        b"\n\n",
        b"\x00\xff\n",
        b"notes",
    ],
)
def test_file_of_another_program_is_left_alone(form: str, text: bytes, tmp_path: Path) -> None:
    """A script or table that was named by mistake keeps every byte."""
    path = tmp_path / "theirs"
    path.write_bytes(text)
    with pytest.raises(ExportError, match=r"another line than .* name another file"):
        exporter_of(form, path).write(footprint())
    assert path.read_bytes() == text


@pytest.mark.parametrize("form", FORMS)
def test_last_line_of_somebody_else_is_no_piece_of_ours(form: str, tmp_path: Path) -> None:
    """What a person began to write below the records is neither cut off nor written on."""
    path = tmp_path / "runs"
    exporter_of(form, path).write(footprint())
    with path.open("ab") as file:
        file.write(b"# my note")
    before = path.read_bytes()
    with pytest.raises(ExportError, match="not ours: mend it"):
        exporter_of(form, path).write(footprint(2.0))
    assert path.read_bytes() == before


@pytest.mark.parametrize("form", FORMS)
def test_lock_of_another_program_is_waited_for_and_told(form: str, tmp_path: Path, monkeypatch) -> None:
    """One that holds the file for ever ends in one line, and not in a hang."""
    import fcntl

    monkeypatch.setattr("sootprint.exporters.lines.LOCK_S", 0.3)
    path = tmp_path / "runs"
    exporter_of(form, path).write(footprint())
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ExportError, match="locked by another program"):
            exporter_of(form, path).write(footprint(2.0))
        monkeypatch.setattr("sootprint.exporters.lines.LOCK_S", 120.0)
        waiting = Thread(target=lambda: exporter_of(form, path).write(footprint(2.0)))
        waiting.start()
    waiting.join(120)
    assert len(whole(form, path)) == 2


@pytest.mark.parametrize("form", FORMS)
def test_file_that_is_moved_away_under_a_waiting_writer_is_begun_anew(form: str, tmp_path: Path) -> None:
    """As a program that rotates files does: the line goes to the new one."""
    import fcntl

    path = tmp_path / "runs"
    exporter_of(form, path).write(footprint())
    with path.open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        waiting = Thread(target=lambda: exporter_of(form, path).write(footprint(2.0)))
        waiting.start()
        time.sleep(0.1)
        path.rename(tmp_path / "old")
    waiting.join(120)
    assert (len(whole(form, tmp_path / "old")), len(whole(form, path))) == (1, 1)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 1 MiB."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mounts a file system of its own")
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("form", FORMS)
def test_full_disk_leaves_whole_lines(form: str, small: Path) -> None:
    """The record that does not fit leaves no byte; when there is room again, it is written."""
    path, one, other = small / "runs", footprint(1.0), large(2.0)
    exporter_of(form, path).write(one)
    before = path.read_bytes()
    with contextlib.suppress(OSError):
        small.joinpath("ballast").write_bytes(b"\0" * 2_000_000)
    with pytest.raises(ExportError, match="No space left on device"):
        exporter_of(form, path).write(other)
    assert path.read_bytes() == before
    small.joinpath("ballast").unlink()
    fits = footprint(3.0)
    exporter_of(form, path).write(fits)
    assert whole(form, path) == [one.id, fits.id]


@pytest.mark.parametrize("form", [*FORMS, "prometheus"])
def test_read_only_disk_is_said(form: str, small: Path) -> None:
    """A file that is there and one that is not, on a disk that nobody can write."""
    path = small / "runs.prom"
    exporter_of(form, path).write(footprint())
    before = path.read_bytes()
    subprocess.run(["mount", "-o", "remount,ro", str(small)], check=True)
    with pytest.raises((ExportError, InputError), match="cannot be written"):
        exporter_of(form, path).write(footprint(2.0))
    assert path.read_bytes() == before


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["", "there/is/no/folder", "/dev/full", "/dev/null", "x" * 300])
def test_what_is_no_file_is_refused_before_any_work(form: str, name: str, tmp_path: Path) -> None:
    """A folder, one that is missing, a device, and a name that no file can have."""
    with pytest.raises(InputError):
        exporter_of(form, tmp_path / name)


def test_columns_end_in_their_units_and_unknown_cells_are_empty(tmp_path: Path) -> None:
    """A spreadsheet obeys no cell, and a number that is not known is not 0."""
    path = tmp_path / "runs.csv"
    exporter_of("csv", path).write(footprint(name="=1+1", water_l=None))
    (row,) = csv.DictReader(path.read_text().splitlines())
    assert row["name"] == "'=1+1"
    assert (float(row["energy_kwh"]), float(row["energy_kwh_low"]), row["water_l"]) == (1.0, 0.9, "")
    assert (row["unknown"], row["tags"], row["boundary"]) == ("water_l", "seed=1", "node")
    numeric = [name for name, text in row.items() if text.replace(".", "", 1).isdigit()]
    units = ("_s", "_kwh", "_kg", "_l", "_hours", "_per_kwh", "pue", "_low", "_high", "warnings")
    assert [name for name in numeric if not name.endswith(units)] == []


def test_lines_are_the_records_that_import_reads(tmp_path: Path) -> None:
    """The text of a record, as it stands in the ledger."""
    path, one = tmp_path / "runs.jsonl", footprint()
    exporter_of("jsonl", path).write(one)
    assert json.loads(path.read_text()) == json.loads(one.to_json())


@pytest.mark.parametrize("form", FORMS)
def test_name_of_a_new_file_is_on_the_disk_before_the_record_is_forgotten(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file outlives a power cut once its folder does: of the outbox, and of the place."""
    forced: list[str] = []
    monkeypatch.setattr(
        os, "fsync", lambda number: forced.append(str(Path(f"/proc/self/fd/{number}").readlink()))
    )
    box = Outbox(tmp_path, form)
    box.put(footprint())
    assert forced[-1] == str(box.folder)
    exporter_of(form, tmp_path / "new").write(footprint())
    assert forced[-2:] == [str(tmp_path / "new"), str(tmp_path)]
