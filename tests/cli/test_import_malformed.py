"""What nobody should give to `sootprint import`: one line with the way out, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.importers.examples import EXAMPLES
from tests.importers.test_importers import SECOND, table

from sootprint.importers import FORMATS, base

Command = Callable[..., Any]


def refused(done: Any) -> str:
    """The one line of a command that was used wrongly."""
    assert (done.exit_code, done.stdout) == (2, ""), (done.output, done.exception)
    (said,) = done.stderr.splitlines()
    return str(said)


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n\n",
        b"\xef\xbb\xbf",
        b"\x00" * 1000,
        b"\xff\xfea\x00,\x00b\x00\n\x00",
        b"\x89PNG\r\n\x1a\n" * 99,
    ],
    ids=["empty", "blank lines", "a mark", "zeros", "UTF-16", "a picture"],
)
def test_file_without_text_gets_one_line(form: str, content: bytes, command: Command, tmp_path: Path) -> None:
    """In every format, and no file of records is made."""
    file, out = tmp_path / "x.csv", tmp_path / "out.jsonl"
    file.write_bytes(content)
    assert "sootprint: " in refused(command("import", form, file, "--out", out))
    assert not out.exists()


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.form for one in EXAMPLES])
def test_export_as_utf_16_is_told(example: Any, command: Command, tmp_path: Path) -> None:
    """As a spreadsheet's "Unicode text" is saved, and as some shells redirect."""
    file = tmp_path / example.name
    for encoding in ("utf-16", "utf-16-le"):
        file.write_text(example.text, encoding=encoding)
        line = refused(command("import", example.form, file))
        assert "no text" in line or "holds nothing" in line or "no line" in line, line


def test_devices_that_never_end_are_refused_at_once(command: Command) -> None:
    """Zeros without end, and nothing at all."""
    begun_s = time.process_time()
    assert "is no text" in refused(command("import", "/dev/zero"))
    assert "is empty" in refused(command("import", "/dev/null"))
    assert time.process_time() - begun_s < 10.0


def test_text_without_end_is_refused_in_little_memory(command: Command, tmp_path: Path) -> None:
    """A pipe that goes on for ever is left after what is read whole at most."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    written = 0

    def write() -> None:
        nonlocal written
        try:
            with pipe.open("w") as file:
                file.write("hours,hardware\n")
                while True:
                    written += file.write("1,A100\n" * 100_000)
        except BrokenPipeError:
            pass

    writer = threading.Thread(target=write)
    writer.start()
    assert "more than 20,000,000 characters: give it in parts" in refused(command("import", pipe))
    writer.join(timeout=30.0)
    assert written < 30_000_000


def test_empty_folder_gets_one_line(command: Command, tmp_path: Path) -> None:
    """And one without anything that is known."""
    (tmp_path / "logs").mkdir()
    for _ in range(2):
        assert "holds nothing that is known" in refused(command("import", tmp_path / "logs"))
        (tmp_path / "logs" / "notes.txt").write_text("hello")


def test_tables_of_other_names_in_a_folder_are_told(command: Command, tmp_path: Path) -> None:
    """A folder of 3 tables of which one has a tool's name: one is read, and nobody takes it for all of them."""
    folder = tmp_path / "cc"
    folder.mkdir()
    for name in ("run1.csv", "run2.CSV"):
        (folder / name).write_text(table(SECOND, {}))
    told = f"2 other CSV files: no tool names its results so: name those to read, e.g. {folder}/*.csv"
    assert told in refused(command("import", folder))
    (folder / "emissions.csv").write_text(table(SECOND, {}))
    read = command("import", folder)
    assert (read.exit_code, read.stdout) == (0, "1 record in the ledger, 1 row left out\n")
    assert told in read.stderr
    assert command("import", folder, "--strict").exit_code == 1


def test_reason_is_that_of_the_file_itself(command: Command, tmp_path: Path) -> None:
    """A file without rows does not get the blame of the one before it; nothing of either is kept."""
    good, empty = tmp_path / "a.csv", tmp_path / "b.txt"
    good.write_text(table(SECOND, {}, {"run_id": "bad", "emissions": "x"}))
    empty.write_text("JobID|State|ElapsedRaw\n")
    line = refused(command("import", good, empty))
    assert "b.txt holds no record: it has no rows" in line
    assert command("runs", "--json").stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ("1e308,FR,4", "energy_kwh is 1e+308: its emissions are beyond"),
        ("1e309,FR,", "energy_kwh is 1e309"),
        ("nan,FR,", "it has no hours, energy_kwh or emissions_kg"),
        ("inf,FR,", "energy_kwh is 'inf'"),
        ("-1,FR,", "energy_kwh is -1: it is at least 0"),
        ("1.234,56,FR,", "cells where the head has"),
        ('"1,5",FR,', "with a decimal point"),
        ('"1 5",FR,', "without a unit"),
        ("0x10,FR,", "without a unit"),
        ("1" * 19_000 + "x,FR,", "without a unit"),
        ("1,FR,0.5", "pue is 0.5"),
    ],
)
def test_number_that_is_none_holds_back_no_other(cells: str, why: str, command: Command) -> None:
    """Its line, the value and the rule; its neighbour is a record."""
    done = command("import", "-", stdin=f"energy_kwh,zone,pue\n{cells}\n2,FR,\n")
    assert (done.exit_code, done.stdout) == (0, "1 record in the ledger, 1 row left out\n"), done.output
    assert why in done.stderr


def test_reading_takes_time_in_proportion() -> None:
    """Heads of 200,000 names, and cells that are almost a number: no square of their length."""
    begun_s = time.process_time()
    names = ",".join(f"n{index}" for index in range(200_000))
    with pytest.raises(ValueError, match="'n199999' stands twice"):
        list(base.rows(f"{names},n199999\n", "x.csv"))
    for _ in range(100):
        with pytest.raises(ValueError, match="without a unit"):
            base.number({"n": "1" * 19_999 + "x"}, "n")
    assert time.process_time() - begun_s < 10.0
