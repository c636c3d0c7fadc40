"""Rows of emissions.csv: whole ones, in whatever file is there, whoever else writes."""

from __future__ import annotations

import csv
import errno
import multiprocessing
import os
from pathlib import Path

import pytest

from sootprint.compat.codecarbon import table
from sootprint.core.errors import InputError

ROW = {"project_name": "p", "run_id": "r", "duration": 2.5, "emissions": 1e-9, "country_name": None}


def test_new_file_gets_its_head(tmp_path: Path) -> None:
    """An empty one too; what is not known is an empty cell."""
    (tmp_path / "empty.csv").touch()
    for name in ("new.csv", "empty.csv"):
        table.write(tmp_path / name, ROW, mode="append")
        assert (
            tmp_path / name
        ).read_text() == "project_name,run_id,duration,emissions,country_name\np,r,2.5,1e-09,\n"


@pytest.mark.parametrize("end", ["\n", "", "\r\n"])
def test_file_of_another_release_goes_on_in_its_own_columns(tmp_path: Path, end: str) -> None:
    """Its rows stay; columns that we do not know are empty, and a last line that was cut is left alone."""
    file = tmp_path / "emissions.csv"
    file.write_bytes(f"emissions;strange;duration;run_id\n1;x;2;a{end}".encode())
    table.write(file, ROW, mode="append")
    with file.open(newline="") as rows:
        assert list(csv.reader(rows, delimiter=";")) == [
            ["emissions", "strange", "duration", "run_id"],
            ["1", "x", "2", "a"],
            ["1e-09", "", "2.5", "r"],
        ]


def test_file_of_something_else_is_left_alone(tmp_path: Path) -> None:
    """The line names it and the way out."""
    file = tmp_path / "emissions.csv"
    file.write_text("name,age\nAda,36\n")
    with pytest.raises(InputError, match=r"has no head of CodeCarbon's: .* name another output_file"):
        table.write(file, ROW, mode="append")
    assert file.read_text() == "name,age\nAda,36\n"


def test_update_replaces_the_one_row_of_the_run(tmp_path: Path) -> None:
    """Two of them tell nothing of which: then a row is added."""
    file = tmp_path / "emissions.csv"
    for name in ("a", "r", "b"):
        table.write(file, ROW | {"run_id": name}, mode="update")
    table.write(file, ROW | {"duration": 3, "project_name": 'p, "q"\n'}, mode="update")
    with file.open(newline="") as rows:
        found = list(csv.DictReader(rows))
    assert [(row["run_id"], row["duration"]) for row in found] == [("a", "2.5"), ("r", "3"), ("b", "2.5")]
    assert found[1]["project_name"] == 'p, "q"\n'
    table.write(file, ROW, mode="append")
    table.write(file, ROW, mode="update")
    assert file.read_text().count("p,r,2.5") == 2


def test_disk_that_fills_leaves_no_half_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was there before is there."""
    file = tmp_path / "emissions.csv"
    table.write(file, ROW, mode="append")
    before = file.read_bytes()
    whole = os.write
    monkeypatch.setattr(os, "write", lambda number, data: whole(number, data[:5]))
    with pytest.raises(OSError) as found:
        table.write(file, ROW, mode="append")
    assert found.value.errno == errno.ENOSPC
    assert file.read_bytes() == before


def _write(file: Path, number: int, mode: str) -> None:
    for step in range(5):
        table.write(file, ROW | {"run_id": f"{number}-{step if mode == 'append' else 0}"}, mode=mode)


@pytest.mark.parametrize("mode", ["append", "update"])
def test_programs_that_write_at_once_lose_no_row(tmp_path: Path, mode: str) -> None:
    """Eight into one new file: one head, and each row whole."""
    file = tmp_path / "emissions.csv"
    spawn = multiprocessing.get_context("fork")
    programs = [spawn.Process(target=_write, args=(file, number, mode)) for number in range(8)]
    for program in programs:
        program.start()
    for program in programs:
        program.join()
    with file.open(newline="") as rows:
        found = list(csv.DictReader(rows))
    assert all(len(row) == len(ROW) and row["project_name"] == "p" for row in found)
    assert len({row["run_id"] for row in found}) == len(found) == (40 if mode == "append" else 8)
