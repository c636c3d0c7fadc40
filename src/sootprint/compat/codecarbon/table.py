"""Rows of emissions.csv and the files of tasks: one whole row a write, whoever else writes, or none."""

from __future__ import annotations

import contextlib
import csv
import errno
import io
import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sootprint.core import files
from sootprint.core.errors import InputError
from sootprint.core.held import Held
from sootprint.importers.codecarbon import is_head

if sys.platform != "win32":
    import fcntl

MOST_HEAD = 65_536  # bytes of a head
LOCK_S = 2.0  # longest wait for who else writes
BOM = "\ufeff"


def write(path: Path, row: Mapping[str, Any], *, mode: str) -> None:
    """Add a row to a file that may be there; in the columns of the file where it has other ones.

    Args:
        path: The file; its folder is made.
        row: Cells by column.
        mode: "append" adds a row, "update" replaces the one row of the same run.

    Raises:
        InputError: The file is of something else.
        OSError: It cannot be written; it is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _held(path) as number:
        size = os.fstat(number).st_size
        if not size:
            _append(number, _lines([list(row), _cells(row, list(row))], ","), 0)
            return
        head, parted = _head(number, path)
        if mode == "update" and (lines := _updated(path, head, row, parted)) is not None:
            files.write(path, _lines(lines, parted))
            return
        torn = b"" if _read(number, 1, at=size - 1) == b"\n" else b"\n"
        _append(number, torn + _lines([_cells(row, head)], parted), size)


def write_tasks(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write the tasks of a run anew.

    Raises:
        SootprintError: The file cannot be written; it is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write(path, _lines([list(rows[0]), *(_cells(row, list(rows[0])) for row in rows)], ","))


@contextlib.contextmanager
def _held(path: Path) -> Iterator[int]:
    """The file, open and locked for as long; where the system has no locks, or one is held too long, without."""
    file = _opened(path)
    try:
        until_s = time.monotonic() + LOCK_S
        while not (_is_locked(file) and file.is_at(path)) and time.monotonic() < until_s:
            if not file.is_at(path):  # it was replaced meanwhile
                file.close()
                file = _opened(path)
            time.sleep(0.001)
        yield file.number
    finally:
        file.close()


def _opened(path: Path) -> Held:
    extra = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    return Held(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | extra, 0o666))


def _is_locked(file: Held) -> bool:
    if sys.platform == "win32":
        return True
    try:
        fcntl.flock(file.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def _head(number: int, path: Path) -> tuple[list[str], str]:
    """Columns of a file and what parts them."""
    text = _read(number, MOST_HEAD).decode("utf-8", "replace").lstrip(BOM).partition("\n")[0].rstrip("\r")
    if not is_head(text):
        raise InputError(f"{path} has no head of CodeCarbon's: it is left as it is; name another output_file")
    parted = max(",;\t", key=text.count)
    return next(csv.reader([text], delimiter=parted)), parted


def _read(number: int, most: int, *, at: int = 0) -> bytes:
    os.lseek(number, at, os.SEEK_SET)
    return os.read(number, most)


def _cells(row: Mapping[str, Any], head: Sequence[str]) -> list[Any]:
    """Cells in the order of a head; of what is not known, and of columns that we do not know, empty ones."""
    return ["" if (one := row.get(name.strip())) is None else one for name in head]


def _updated(path: Path, head: list[str], row: Mapping[str, Any], parted: str) -> list[list[Any]] | None:
    """All lines with that of the run replaced; None where it has none, or several."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.reader(file, delimiter=parted))
    at = head.index("run_id") if "run_id" in head else None
    own = (
        []
        if at is None
        else [i for i, line in enumerate(lines) if len(line) > at and line[at] == row["run_id"]]
    )
    if len(own) != 1:
        return None
    lines[own[0]] = _cells(row, head)
    return [list(line) for line in lines]


def _lines(rows: Sequence[Sequence[Any]], parted: str) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=parted, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def _append(number: int, line: bytes, size: int) -> None:
    """Write a line in one piece, or nothing of it."""
    written = os.write(number, line)
    if written < len(line):
        os.ftruncate(number, size)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
