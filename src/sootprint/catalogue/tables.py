"""Tables on disk: the packaged ones, and newer rows of the user's own over them.

Each table is sorted by its first column, so that the rows of one key are found by a search of the bytes; a run
that looks up one zone and one processor parses a few lines, not a megabyte.
"""

from __future__ import annotations

import contextlib
import os
import stat
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path

from sootprint.settings import home_directory

Row = Mapping[str, str]
Overlay = tuple[str, int, int] | None  # path, time of change and size

PACKAGED = Path(__file__).with_name("data")
PIECE = 1 << 14  # that is read of a table at a time [byte]
_HOME = ("SOOTPRINT_HOME", "XDG_DATA_HOME", "HOME")  # of the environment, by which the overlay is found


def overlay_directory() -> Path:
    """Directory of the newer tables that `update` installed."""
    return _overlay_directory(*(os.environ.get(name) for name in _HOME))


@lru_cache(maxsize=8)
def _overlay_directory(*homes: str | None) -> Path:
    env = {name: value for name, value in zip(_HOME, homes, strict=True) if value is not None}
    return home_directory(env) / "catalogue"


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Look for newer tables once, for all that this thread computes within the context."""
    outer = _held.known
    _held.known = stamp()
    try:
        yield
    finally:
        _held.known = outer


class _Held(threading.local):
    known: tuple[Overlay, ...] | None = None


_held = _Held()


def stamp() -> tuple[Overlay, ...]:
    """Identity of all newer tables: what was computed from tables holds as long as it stays the same."""
    if _held.known is not None:
        return _held.known
    folder = overlay_directory()
    if not folder.is_dir():
        return ()
    return tuple(_overlay(path.stem) for path in sorted(folder.glob("*.csv")))


def rows(table: str, key: str) -> tuple[Row, ...]:
    """Rows of a table whose first cell is `key`, newer rows over packaged ones."""
    return _rows(table, key, _overlay(table))


def all_rows(table: str) -> tuple[Row, ...]:
    """All rows of a table in their order, newer rows over packaged ones."""
    return _all_rows(table, _overlay(table))


@lru_cache(maxsize=1024)
def _rows(table: str, key: str, overlay: Overlay) -> tuple[Row, ...]:
    packaged = parse_packaged(_block(PACKAGED / f"{table}.csv", key))
    if overlay is None:
        return packaged
    return _laid_over(table, packaged, parse(_block(Path(overlay[0]), key)))


@lru_cache(maxsize=32)
def _all_rows(table: str, overlay: Overlay) -> tuple[Row, ...]:
    packaged = parse_packaged((PACKAGED / f"{table}.csv").read_text(encoding="utf-8"))
    if overlay is None:
        return packaged
    return _laid_over(table, packaged, parse(Path(overlay[0]).read_text(encoding="utf-8")))


def parse(text: str) -> tuple[Row, ...]:
    """Rows of a table's text."""
    import csv

    return tuple(csv.DictReader(text.splitlines()))


def parse_packaged(text: str) -> tuple[Row, ...]:
    """Rows of a packaged table's text, where no cell spans two lines; `csv` would be loaded for it alone."""
    names, *lines = (_cells(line) for line in text.splitlines())
    return tuple(dict(zip(names, cells, strict=True)) for cells in lines)


def _cells(line: str) -> list[str]:
    """Cells of a line, of which some may be quoted.

    >>> _cells('a,"b, c",')
    ['a', 'b, c', '']
    """
    if '"' not in line:
        return line.split(",")
    cells, rest, more = [], line, ","
    while more:
        if rest.startswith('"'):
            end = rest.index('"', 1)
            while rest.startswith('""', end):
                end = rest.index('"', end + 2)
            cells.append(rest[1:end].replace('""', '"'))
            more, rest = rest[end + 1 : end + 2], rest[end + 2 :]
        else:
            cell, more, rest = rest.partition(",")
            cells.append(cell)
    return cells


def _overlay(table: str) -> Overlay:
    """Identity of the newer table, or None where there is none."""
    path = overlay_directory() / f"{table}.csv"
    try:
        found = path.stat()
    except OSError:
        return None
    return (str(path), found.st_mtime_ns, found.st_size) if stat.S_ISREG(found.st_mode) else None


def _block(path: Path, key: str) -> str:
    """Header of a table and its lines that begin with a key, which lie side by side.

    It is read in pieces: a megabyte at once would stay in the memory of the process that is measured, and would
    have the C library keep more of what it frees from then on.
    """
    with path.open("rb") as file:
        text = file.readline().rstrip(b"\n")
        if not key or "," in key or "\n" in key:
            return text.decode()
        start, is_found = b"\n" + key.encode(errors="surrogatepass") + b",", False
        while piece := file.read(PIECE):
            lines = _lines(b"\n" + piece + file.readline().rstrip(b"\n"), start)
            if is_found and not lines:
                break
            text, is_found = text + lines, is_found or bool(lines)
    return text.decode()


def _lines(content: bytes, start: bytes) -> bytes:
    """Lines side by side that begin with `start`, each with the line break before it."""
    first = last = content.find(start)
    if first < 0:
        return b""
    while content.startswith(start, last):
        following = content.find(b"\n", last + 1)
        last = following if following >= 0 else len(content)
    return content[first:last]


def _laid_over(table: str, packaged: tuple[Row, ...], newer: tuple[Row, ...]) -> tuple[Row, ...]:
    """Packaged rows with newer ones in their places."""
    from sootprint.catalogue.schema import TABLES

    identity = TABLES[table].identity
    joined = {identity(row): row for row in packaged} | {identity(row): row for row in whole(table, newer)}
    return tuple(joined[key] for key in sorted(joined))


def whole(table: str, newer: tuple[Row, ...]) -> list[Row]:
    """Rows of a newer table with the columns of this version; one that its file lacks is empty."""
    from sootprint.catalogue.schema import TABLES

    return [{name: row.get(name) or "" for name in TABLES[table].columns} for row in newer]


def cell(row: Row, name: str) -> float | None:
    """Number in a cell, or None where it is empty."""
    text = row.get(name) or ""
    return float(text) if text else None


def integer(row: Row, name: str) -> int | None:
    """Whole number in a cell, or None where it is empty."""
    text = row.get(name) or ""
    return int(text) if text else None


def nearest_year(listed: tuple[Row, ...], year: int | None) -> Row:
    """Row of the year, else of the nearest one, the earlier of two; the latest row where no year is asked."""
    if year is None:
        return max(listed, key=lambda row: integer(row, "year") or 0)
    return min(listed, key=lambda row: (abs((integer(row, "year") or 0) - year), integer(row, "year") or 0))


def source_title(row: Row) -> str:
    """Publication behind a row, in words."""
    found = rows("sources", row["source"])
    return found[0]["title"] if found else row["source"]
